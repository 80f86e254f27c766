package engine

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/moby/moby/client"
)

// Network is one that containers reach each other in by alias.
type Network struct {
	ID     string
	Name   string
	Labels map[string]string
}

// EnsureNetwork makes a network unless there is one of the name, whose labels stay as they are.
func (c *Client) EnsureNetwork(ctx context.Context, name string, labels map[string]string) error {
	if _, err := c.Network(ctx, name); !errors.Is(err, NotFound) {
		return err
	}
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
	if err = failed(ctx, err, "making network %s", name); errors.Is(err, Conflict) {
		return nil // somebody was faster
	}
	return err
}

// Network looks for a network by name.
func (c *Client) Network(ctx context.Context, name string) (Network, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.NetworkInspect(ctx, name, client.NetworkInspectOptions{})
	if err != nil {
		return Network{}, failed(ctx, err, "looking for network %s", name)
	}
	return Network{ID: r.Network.ID, Name: r.Network.Name, Labels: r.Network.Labels}, nil
}

// Networks are those with all of some labels (KEY, or KEY=VALUE), by name.
func (c *Client) Networks(ctx context.Context, labels ...string) ([]Network, error) {
	ctx, done := limited(ctx, quick)
	defer done()
	r, err := c.api.NetworkList(ctx, client.NetworkListOptions{Filters: client.Filters{}.Add("label", labels...)})
	if err != nil {
		return nil, failed(ctx, err, "listing networks")
	}
	var all []Network
	for _, n := range r.Items {
		all = append(all, Network{ID: n.ID, Name: n.Name, Labels: n.Labels})
	}
	slices.SortFunc(all, func(a, b Network) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// RemoveNetwork takes a network away. It is a Conflict where a container is in it.
func (c *Client) RemoveNetwork(ctx context.Context, name string) error {
	ctx, done := limited(ctx, slow)
	defer done()
	_, err := c.api.NetworkRemove(ctx, name, client.NetworkRemoveOptions{})
	return failed(ctx, err, "removing network %s", name)
}
