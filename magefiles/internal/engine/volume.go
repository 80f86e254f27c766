package engine

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
)

// Volume stores files independently of containers.
type Volume struct {
	Name   string
	Labels map[string]string

	// Memory makes the volume a tmpfs: its files are lost when the last container that uses it stops. Size is its limit in bytes; 0 uses the
	// kernel's default.
	Memory bool
	Size   int64
}

// tmpfs is the file system type for in-memory volumes.
const tmpfs = "tmpfs"

// EnsureVolume creates a volume. If it already exists, it is not changed.
func (c *Client) EnsureVolume(ctx context.Context, v Volume) error {
	ctx, done := withLimit(ctx, quick)
	defer done()
	options := client.VolumeCreateOptions{Name: v.Name, Driver: "local", Labels: v.Labels}
	if v.Memory {
		mode := "mode=0755"
		if v.Size > 0 {
			mode += fmt.Sprintf(",size=%d", v.Size)
		}
		options.DriverOpts = map[string]string{"type": tmpfs, "device": tmpfs, "o": mode}
	}
	_, err := c.api.VolumeCreate(ctx, options) // returns the existing volume, if any
	return failure(ctx, err, "making volume %s", v.Name)
}

// RemoveVolume removes a volume and its files. If a container uses it, the error is Conflict.
func (c *Client) RemoveVolume(ctx context.Context, name string) error {
	ctx, done := withLimit(ctx, slow)
	defer done()
	_, err := c.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{})
	return failure(ctx, err, "removing volume %s", name)
}

// Volumes returns the volumes that have all of the labels (KEY or KEY=VALUE). It does not set Memory and Size.
func (c *Client) Volumes(ctx context.Context, labels ...string) ([]Volume, error) {
	ctx, done := withLimit(ctx, quick)
	defer done()
	filters := client.Filters{}
	if len(labels) > 0 {
		filters.Add("label", labels...)
	}
	r, err := c.api.VolumeList(ctx, client.VolumeListOptions{Filters: filters})
	if err != nil {
		return nil, failure(ctx, err, "listing volumes")
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
