// Package ourchannel provides access to the channel to which a workspace's packages are published: its name and address, the credential, and the
// packages on it.
//
//	ourchannel.go   opens the channel: its name, its server, and one shared object per run
//	credential.go   finds the credential that all channels on the server share
//	address.go      decides whether a channel in a manifest is ours, and where it is read
//	held.go         lists the packages on the channel
//	finding.go      checks the channel for doctor
//	serve.go        implements channel:serve, the embedded server for a folder of channels
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

// Config contains the settings that do not depend on a workspace, and the functions that open channels.
type Config struct {
	Server   string            // PREFIX_SERVER_URL; "" for the public server
	Name     string            // PREFIX_CHANNEL, which overrides the manifest; "" if it is not set
	Sources  prefixdev.Sources // where to look for the credential
	AuthFile string            // RATTLER_AUTH_FILE, for reading other channels; "" if it is not set

	// Open returns a client for a server; "" is the public server.
	Open func(server string) (*prefixdev.Client, error)
	// Address returns the address of a channel that a manifest refers to by name or by address.
	Address func(written string) string
	// Others opens a channel that is not ours, for reading.
	Others func(ctx context.Context, address string) (channel.Channel, error)
}

// Channels caches the channels that a run has opened, so that all callers share one object per channel. It is safe for concurrent use.
type Channels struct {
	Config

	mu        sync.Mutex
	by        map[string]*prefixdev.Channel // by URL
	key       *prefixdev.Key                // shared by all channels on our channel's server; nil until the first is opened
	publishes bool
}

// New returns a Channels without open channels.
func New(c Config) *Channels { return &Channels{Config: c} }

// ToPublish allows this run to request an ID token from the CI. Only a run that publishes should call it, because an ID token can be used only
// once.
func (c *Channels) ToPublish() { c.publishes = true }

// Client returns a client for the server of our channel.
func (c *Channels) Client() (*prefixdev.Client, error) { return c.Open(c.Server) }

// Of returns the workspace's channel, with our credential.
// Errors: ErrNoName.
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

// URLOf returns the address of a workspace's channel.
func (c *Channels) URLOf(w *workspace.Workspace) (string, error) {
	on, err := c.Of(w)
	if err != nil {
		return "", err
	}
	return on.URL(), nil
}

// On returns a channel on a server. It returns the same object each time it is called for the channel. On our channel's server, the channel has
// our credential.
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

// NameOf returns the name of our channel: PREFIX_CHANNEL, or else the name in the manifest. For a server on this machine, it falls back to a name
// made from the workspace's name. Otherwise it returns "".
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

// namedIn returns the setting that the name of our channel comes from.
func (c *Channels) namedIn(w *workspace.Workspace) string {
	if c.Name != "" {
		return "PREFIX_CHANNEL"
	}
	return "[tool.release] channel of " + w.Manifest.Path
}

// ErrNoName is wrapped by errors that report that our channel has no name.
var ErrNoName = errors.New("no setting names the channel for its packages")

// noName returns the error for a channel without a name. The workspace's folder name is not used, because a clone in a folder named src is
// unrelated to a channel named src.
func noName(w *workspace.Workspace) error {
	why := fmt.Sprintf("the workspace %s has no name in %s", w.Manifest.Name, w.Manifest.Path)
	if !w.Manifest.ByFolder {
		why = fmt.Sprintf("a channel cannot have the name of the workspace, %q", w.Manifest.Name)
	}
	return operr.New(nameStep(w), "%s, and %w", why, ErrNoName)
}

// nameStep returns the next step for a channel without a name.
func nameStep(w *workspace.Workspace) string {
	return "write `channel = \"NAME\"` into [tool.release] of " + w.Manifest.Path + ", or set PREFIX_CHANNEL"
}
