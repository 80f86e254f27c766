package engine

import (
	"context"
	"errors"

	"github.com/moby/moby/client"
)

// EnsureNetwork makes a network, in which containers reach each other by alias, unless there is one of the name, whose labels stay as they are.
func (c *Client) EnsureNetwork(ctx context.Context, name string, labels map[string]string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	if err = failed(ctx, err, "looking for network %s", name); !errors.Is(err, NotFound) {
		return err
	}
	_, err = c.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
	if err = failed(ctx, err, "making network %s", name); errors.Is(err, Conflict) {
		return nil // somebody was faster
	}
	return err
}
