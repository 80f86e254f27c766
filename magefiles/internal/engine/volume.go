package engine

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
)

// Volume keeps files beyond a container.
type Volume struct {
	Name   string
	Labels map[string]string

	// Memory keeps the files in memory alone: they are gone once its last container stops. Size limits them, in bytes; 0 is the kernel's limit.
	Memory bool
	Size   int64
}

// tmpfs is what the engine's local driver mounts for a volume in memory.
const tmpfs = "tmpfs"

// EnsureVolume makes a volume unless there is one of the name, which stays as it is.
func (c *Client) EnsureVolume(ctx context.Context, v Volume) error {
	ctx, done := limited(ctx, quick)
	defer done()
	options := client.VolumeCreateOptions{Name: v.Name, Driver: "local", Labels: v.Labels}
	if v.Memory {
		mode := "mode=0755"
		if v.Size > 0 {
			mode += fmt.Sprintf(",size=%d", v.Size)
		}
		options.DriverOpts = map[string]string{"type": tmpfs, "device": tmpfs, "o": mode}
	}
	_, err := c.api.VolumeCreate(ctx, options) // where there is one, the engine answers with it
	return failed(ctx, err, "making volume %s", v.Name)
}

// RemoveVolume takes a volume away, with its files. It is a Conflict where a container has it.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	return failed(ctx, err, "removing volume %s", name)
}

// Volumes are those with all of some labels (KEY, or KEY=VALUE). What their files are kept in is not said.
func (c *Client) Volumes(ctx context.Context, labels ...string) ([]Volume, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	filters := client.Filters{}
	if len(labels) > 0 {
		filters.Add("label", labels...)
	}
	r, err := c.api.VolumeList(ctx, client.VolumeListOptions{Filters: filters})
	if err != nil {
		return nil, failed(ctx, err, "listing volumes")
	}
	var all []Volume
	for _, v := range r.Items {
		all = append(all, Volume{
			Name:   v.Name,
			Labels: v.Labels,
		})
	}
	return all, nil
}
