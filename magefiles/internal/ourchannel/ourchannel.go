// Package ourchannel knows the channel that a workspace's packages go to: which one it is, with what it is read and written, and what it
// has of them.
//
//	ourchannel.go   which channel it is: its name, its server, and the one object that a run has of it
//	credential.go   the credential that its channels share
//	address.go      what a manifest writes of a channel: whether that is ours, and where it is read
//	held.go         what the channel has of the packages
//	finding.go      what doctor finds of it
//	serve.go        channel:serve: the embedded server over a folder
package ourchannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/httpclient"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Config is what is known of our channel before a workspace is read, and how servers are reached.
type Config struct {
	Server   string            // PREFIX_SERVER_URL, which stands in for the public server; "" is that one
	Name     string            // PREFIX_CHANNEL, which goes before what a manifest says; "" where it is not set
	Sources  prefixdev.Sources // where the credential may come from
	AuthFile string            // RATTLER_AUTH_FILE, by which channels of others are read; "" where it is not set

	// Open reaches a server; "" is the public one.
	Open func(server string) (*prefixdev.Client, error)
	// Address is where a channel is that a manifest writes, which may be no more than a name.
	Address func(written string) string
	// Others is how a channel of somebody else is read, by its address.
	Others func(ctx context.Context, address string) (channel.Channel, error)
}

// Channels are those that a run has opened: one object for each, whoever asks for it. It is for several goroutines.
type Channels struct {
	Config

	mu        sync.Mutex
	by        map[string]*prefixdev.Channel // by URL
	key       *prefixdev.Key                // of all of them that are on the server of our channel; nil before the first
	publishes bool
}

// New opens nothing yet.
func New(c Config) *Channels { return &Channels{Config: c} }

// ToPublish lets this run ask a CI for an ID token, which is good once.
func (c *Channels) ToPublish() { c.publishes = true }

// Client reaches the server of our channel.
func (c *Channels) Client() (*prefixdev.Client, error) { return c.Open(c.Server) }

// Of is the channel of a workspace, with our credential. Errors: ErrNoName.
func (c *Channels) Of(w *workspace.Workspace) (*prefixdev.Channel, error) {
	client, err := c.Client()
	if err != nil {
		return nil, err
	}
	if c.NameOf(w) == "" {
		return nil, noName(w)
	}
	return c.On(client, c.NameOf(w))
}

// URLOf is the address of the channel of a workspace.
func (c *Channels) URLOf(w *workspace.Workspace) (string, error) {
	on, err := c.Of(w)
	if err != nil {
		return "", err
	}
	return on.URL(), nil
}

// On is a channel of a server, the same one for a whole run. On the server of our channel it has our credential.
func (c *Channels) On(client *prefixdev.Client, name string) (*prefixdev.Channel, error) {
	opened, err := client.Channel(name)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.by[opened.URL()]; known != nil {
		return known, nil
	}
	if ours, err := c.Client(); err == nil && ours.Server() == client.Server() {
		if c.key == nil {
			c.key = prefixdev.NewKey(func(ctx context.Context) (prefixdev.Credential, error) { return c.credential(ctx, client) })
		}
		opened.Use(c.key)
	}
	if c.by == nil {
		c.by = map[string]*prefixdev.Channel{}
	}
	c.by[opened.URL()] = opened
	return opened, nil
}

// NameOf is PREFIX_CHANNEL, or the configured name of our channel, or, on a server of this machine, one made of the
// workspace's name; "" where none of these is there.
func (c *Channels) NameOf(w *workspace.Workspace) string {
	name := cmp.Or(c.Name, w.Config.Channel)
	if name != "" {
		return name
	}
	if u, err := url.Parse(c.Server); err == nil && httpclient.Loopback(u.Hostname()) {
		return w.EmbeddedChannel()
	}
	return ""
}

// namedIn is where the name of our channel was said.
func (c *Channels) namedIn(w *workspace.Workspace) string {
	if c.Name != "" {
		return "PREFIX_CHANNEL"
	}
	return "[tool.release] channel of " + w.Manifest.Path
}

// ErrNoName is in the chain of an error where nothing says which channel is meant.
var ErrNoName = errors.New("it is not said which channel its packages go to")

// noName says that a channel has to be named. The name of a folder does not count: what is cloned into a folder src has nothing
// to do with the channel src.
func noName(w *workspace.Workspace) error {
	why := fmt.Sprintf("the workspace %s has no name in %s", w.Manifest.Name, w.Manifest.Path)
	if !w.Manifest.ByFolder {
		why = fmt.Sprintf("a channel cannot have the name of the workspace, %q", w.Manifest.Name)
	}
	return operr.New(toName(w), "%s, and %w", why, ErrNoName)
}

// toName is what to do about a channel that has no name.
func toName(w *workspace.Workspace) string {
	return "write `channel = \"NAME\"` into [tool.release] of " + w.Manifest.Path + ", or set PREFIX_CHANNEL"
}
