package engine

import (
	"context"
	"errors"

	"github.com/moby/moby/client"
)

// EnsureNetwork creates a network in which containers can reach each other by alias. If it already exists, its labels are not updated.
func (c *Client) EnsureNetwork(ctx context.Context, name string, labels map[string]string) error {
	ctx, done := withLimit(ctx, slow)
	defer done()
	_, err := c.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	if err = failure(ctx, err, "looking for network %s", name); !errors.Is(err, NotFound) {
		return err
	}
	_, err = c.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
	if err = failure(ctx, err, "making network %s", name); errors.Is(err, Conflict) {
		return nil // created concurrently by someone else
	}
	return err
}
