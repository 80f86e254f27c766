package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

// Volume looks for a volume by name. Size is not among what the engine says.
func (c *Client) Volume(ctx context.Context, name string) (Volume, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.VolumeInspect(ctx, name, client.VolumeInspectOptions{})
	if err != nil {
		return Volume{}, failed(ctx, err, "looking for volume %s", name)
	}
	return Volume{Name: r.Volume.Name, Labels: r.Volume.Labels, Memory: r.Volume.Options["type"] == tmpfs}, nil
}

// Volumes are those with all of some labels (KEY, or KEY=VALUE), by name.
func (c *Client) Volumes(ctx context.Context, labels ...string) ([]Volume, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.VolumeList(ctx, client.VolumeListOptions{Filters: client.Filters{}.Add("label", labels...)})
	if err != nil {
		return nil, failed(ctx, err, "listing volumes")
	}
	var all []Volume
	for _, v := range r.Items {
		all = append(all, Volume{Name: v.Name, Labels: v.Labels, Memory: v.Options["type"] == tmpfs})
	}
	slices.SortFunc(all, func(a, b Volume) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// RemoveVolume takes a volume away, with its files. It is a Conflict where a container has it.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	return failed(ctx, err, "removing volume %s", name)
}
