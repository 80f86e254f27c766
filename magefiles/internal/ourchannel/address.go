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

// Fetch fetches one version of a package into dir, where it is kept under its digest: from the workspace's channel, or, for a
// downstream, from the first of its channels that has the name, as a solver finds it there. tell shows a line to a person: why a channel
// before that one could not be asked for it.
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
		return "", err // which has the reasons
	}
	for _, reason := range unasked {
		tell(fmt.Sprintf("%s comes from a channel behind one that could not be asked for it: %s", wanted.Name, reason))
	}
	return file, nil
}

// place is a channel as a manifest writes it. Ours is read where PREFIX_SERVER_URL says, and with our credential where it is private;
// another one as Others says.
func (c *Channels) place(w *workspace.Workspace, written string) channel.Place {
	name := c.NameOf(w)
	address := cmp.Or(c.Moved([]string{written}, name)[written], c.Address(written))
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

// isOurs reports whether an address is that of the workspace's channel, on the server to which it is published. Another folder of that
// server may have a channel of the same name.
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

// Moved is where the channels of a manifest are to be read from instead of where they stand: only ours, where another
// server is set for the public one.
func (c *Channels) Moved(channels []string, name string) map[string]string {
	out := map[string]string{}
	for _, written := range channels {
		if u, err := url.Parse(written); err == nil && c.Server != "" && strings.Trim(u.Path, "/") == name && prefixdev.Public(u.Host) {
			out[written] = strings.TrimSuffix(c.Server, "/") + "/" + name
		}
	}
	return out
}

// serverOf is the server that a channel is read from: the one where a manifest names it, unless that is the public one
// and another is set for it.
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

// Available asks a downstream's own channel what there is of the packages. It is a bump.Available.
type Available struct {
	Channels *Channels
	Name     string // of our channel; "" where it has none
}

// Versions implements bump.Available.
func (p Available) Versions(ctx context.Context, d *workspace.Downstream, names []string) (map[string][]string, error) {
	client, err := p.Channels.Open(p.Channels.serverOf(d.Manifest.Channels, p.Name))
	if err != nil {
		return nil, err
	}
	if p.Name == "" {
		return nil, operr.New("say -to=VERSION, or write `channel = \"NAME\"` into [tool.release]", "what is the newest cannot be asked: %w", ErrNoName)
	}
	c, err := p.Channels.On(client, p.Name)
	if err != nil {
		return nil, err
	}
	return versionsOn(ctx, c, d, names)
}

// versionsOn are the versions that a channel has of packages, for the platforms of a downstream.
func versionsOn(ctx context.Context, c *prefixdev.Channel, d *workspace.Downstream, names []string) (map[string][]string, error) {
	out := map[string][]string{}
	found := false
	for _, subdir := range append([]string{condapkg.NoarchSubdir}, d.Manifest.Platforms...) {
		records, err := c.Records(ctx, subdir, names...)
		if errors.Is(err, channel.ErrNotFound) {
			continue // a channel has those subdirs that something was published for
		}
		if err != nil {
			return nil, operr.New("say -to=VERSION, which needs no network, or try again", "asking %s for the newest version: %w", c.URL(), err)
		}
		found = true
		for _, r := range records {
			if !slices.Contains(out[r.Name], r.Version) {
				out[r.Name] = append(out[r.Name], r.Version)
			}
		}
	}
	if !found {
		err := operr.New("publish a release first, or say -to=VERSION", "%w", channel.Errorf(channel.ErrNotFound, "there is no channel at %s", c.URL()))
		return nil, c.NotSeen(ctx, err)
	}
	return out, nil
}
