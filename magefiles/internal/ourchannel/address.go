package ourchannel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Fetch downloads one version of a package into dir, where it is cached by digest. For a downstream, it uses the first of its channels that has
// the name, as a solver does. Otherwise it uses the workspace's channel. It calls tell with a message for the user if an earlier channel could
// not be queried.
func (c *Channels) Fetch(ctx context.Context, w *workspace.Workspace, wanted embedded.Wanted, dir string, tell func(line string)) (string, error) {
	if wanted.Channels == nil {
		ours, err := c.Of(w)
		if err != nil {
			return "", err
		}
		return channel.Fetch(ctx, ours, wanted.Name, wanted.Version, dir)
	}
	var places []channel.Place
	for _, written := range wanted.Channels {
		places = append(places, c.place(w, written))
	}
	subdirs := []string{condapkg.NoarchSubdir, workspace.HostPlatform()}
	file, unasked, err := channel.FetchFirst(ctx, places, !wanted.AnyChannel, subdirs, wanted.Name, wanted.Version, dir)
	if err != nil {
		return "", err // err already contains the reasons in unasked
	}
	for _, reason := range unasked {
		tell(fmt.Sprintf("the version of %s comes from a later channel, because an earlier channel did not answer: %s", wanted.Name, reason))
	}
	return file, nil
}

// place returns the channel that a manifest names as `written`. Our channel is read from the server in PREFIX_SERVER_URL, with our credential if
// the channel is private. Any other channel is opened with Others.
func (c *Channels) place(w *workspace.Workspace, written string) channel.Place {
	name := c.NameOf(w)
	address := cmp.Or(c.Redirects([]string{written}, name)[written], c.Address(written))
	return channel.Place{
		Name: address,
		With: func(ctx context.Context, use func(c channel.Channel) error) error {
			client, err := c.Client()
			if err != nil {
				return err
			}
			if isOurs(client, address, name) {
				ours, err := c.On(client, name)
				if err != nil {
					return err
				}
				return use(ours)
			}
			theirs, err := c.Others(ctx, address)
			if err != nil {
				return err
			}
			return use(theirs)
		},
	}
}

// isOurs reports whether an address is the address of the workspace's channel on the client's server. The full path must match, because a channel
// with the same name may exist in another folder of the server.
func isOurs(client *prefixdev.Client, address, name string) bool {
	u, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || name == "" || u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	at, err := url.Parse(client.Server())
	if err != nil || u.Path != at.Path+"/"+name {
		return false
	}
	return u.Host == at.Host || prefixdev.Public(u.Host) && prefixdev.Public(at.Host)
}

// Redirects returns the channels of a manifest that are read from a different address, with that address. Only our channel on the public server
// is redirected, and only if another server is configured.
func (c *Channels) Redirects(channels []string, name string) map[string]string {
	out := map[string]string{}
	for _, written := range channels {
		if u, err := url.Parse(written); err == nil && c.Server != "" && strings.Trim(u.Path, "/") == name && prefixdev.Public(u.Host) {
			out[written] = strings.TrimSuffix(c.Server, "/") + "/" + name
		}
	}
	return out
}

// serverOf returns the server from which the channel `name` is read. This is the server in the channel's URL in the manifest. If the manifest has
// no URL for the channel, or the URL is on the public server, serverOf returns the configured server.
func (c *Channels) serverOf(channels []string, name string) string {
	for _, written := range channels {
		u, err := url.Parse(written)
		if err != nil || u.Host == "" || path.Base(u.Path) != name {
			continue
		}
		if prefixdev.Public(u.Host) {
			break
		}
		u.Path = strings.TrimSuffix(path.Dir(u.Path), "/")
		return u.String()
	}
	return c.Server
}

// Available looks up package versions on our channel, on the server that a downstream's manifest names. It implements bump.Available.
type Available struct {
	Channels *Channels
	Name     string // our channel's name; "" for none
}

// Versions implements bump.Available.
func (p Available) Versions(ctx context.Context, d *workspace.Downstream, names []string) (map[string][]string, error) {
	client, err := p.Channels.Open(p.Channels.serverOf(d.Manifest.Channels, p.Name))
	if err != nil {
		return nil, err
	}
	if p.Name == "" {
		return nil, operr.New("pass -to=VERSION, or write `channel = \"NAME\"` into [tool.release]", "cannot look up the newest version: %w", ErrNoName)
	}
	c, err := p.Channels.On(client, p.Name)
	if err != nil {
		return nil, err
	}
	return versionsOn(ctx, c, d, names)
}

// versionsOn returns the versions of the named packages on a channel, for the platforms of a downstream.
func versionsOn(ctx context.Context, c *prefixdev.Channel, d *workspace.Downstream, names []string) (map[string][]string, error) {
	out := map[string][]string{}
	found := false
	for _, subdir := range append([]string{condapkg.NoarchSubdir}, d.Manifest.Platforms...) {
		records, err := c.Records(ctx, subdir, names...)
		if errors.Is(err, channel.ErrNotFound) {
			continue // a channel has no subdir for a platform without packages
		}
		if err != nil {
			return nil, operr.New("pass -to=VERSION, which needs no network, or run the same command again", "asking %s for the newest version: %w", c.URL(), err)
		}
		found = true
		for _, r := range records {
			if !slices.Contains(out[r.Name], r.Version) {
				out[r.Name] = append(out[r.Name], r.Version)
			}
		}
	}
	if !found {
		err := operr.New("publish a release first, or pass -to=VERSION", "%w", channel.Errorf(channel.ErrNotFound, "there is no channel at %s", c.URL()))
		return nil, c.ExplainUnseen(ctx, err)
	}
	return out, nil
}
