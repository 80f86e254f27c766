package targets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/imagejob"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// pixi takes the pixi on PATH, or fetches the pinned one.
func (a *app) pixi(ctx context.Context, cache string) (*pixi.Pixi, error) {
	env := a.runner.Environ()
	p, err := pixi.Find(ctx, a.runner, env)
	if !errors.Is(err, command.ErrNotFound) {
		return p, err
	}
	a.view.Once("there is no pixi on PATH: fetching pixi " + pixi.Version + " (checked by its sha256)")
	path, err := pixi.Fetch(ctx, pixi.Source{Cache: cache, Platform: workspace.HostPlatform()})
	if err != nil {
		return nil, err
	}
	return pixi.At(ctx, a.runner, env, path)
}

// sources are what packages of a workspace are built from, by way of clones in the cache: a work tree or a commit.
func (a *app) sources(w *workspace.Workspace, cache string) sources.Sources {
	return sources.Sources{Runner: a.runner, Workspace: w, Cache: filepath.Join(cache, sourcesDir), Tell: a.view.Say, Waiting: a.view.Waiting}
}

// sourcesDir is the folder of those clones, in the cache.
const sourcesDir = "sources"

// embedded is the toolchain for a machine without pixi.
func (a *app) embedded(w *workspace.Workspace, cache, environments string) *embedded.Toolchain {
	var from toolchain.Sources // a clone of ours is built in where it lies
	if environments == "" {
		from = a.sources(w, cache).WorkTree()
	}
	return embedded.New(embedded.Config{
		Runner:       a.runner,
		Sources:      from,
		Environ:      a.runner.Environ(),
		Cache:        cache,
		Workspace:    w,
		Log:          a.view.Err,
		Environments: environments,
		Published: func(ctx context.Context, wanted embedded.Wanted) (string, error) {
			return a.published(ctx, w, wanted, filepath.Join(cache, "published"))
		},
		Places: pythonPlaces(),
	})
}

// published fetches one version of a package into dir, where it is kept under its digest: from the workspace's channel, or, for a
// downstream, from the first of its channels that has the name, as a solver finds it there.
func (a *app) published(ctx context.Context, w *workspace.Workspace, wanted embedded.Wanted, dir string) (string, error) {
	if wanted.Channels == nil {
		_, c, err := a.ourChannel(w)
		if err != nil {
			return "", err
		}
		return channel.Fetch(ctx, c, wanted.Name, wanted.Version, dir)
	}
	var places []channel.Place
	for _, c := range wanted.Channels {
		places = append(places, a.placeOf(w, c))
	}
	file, unasked, err := channel.FetchFirst(ctx, places, !wanted.AnyChannel, []string{condapkg.NoarchSubdir, workspace.HostPlatform()}, wanted.Name, wanted.Version, dir)
	if err != nil {
		return "", err // which has the reasons
	}
	for _, reason := range unasked {
		a.view.Once(fmt.Sprintf("%s comes from a channel behind one that could not be asked for it: %s", wanted.Name, reason))
	}
	return file, nil
}

// placeOf is a channel as a manifest writes it. Ours is read where PREFIX_SERVER_URL says, and with our credential where it is private;
// another one with what RATTLER_AUTH_FILE has for its server.
func (a *app) placeOf(w *workspace.Workspace, written string) channel.Place {
	name := channelName(w)
	address := cmp.Or(moved([]string{written}, name)[written], imagejob.ChannelURL(written))
	return channel.Place{
		Name: address,
		With: func(ctx context.Context, use func(c channel.Channel) error) error {
			client, err := newChannelClient()
			if err != nil {
				return err
			}
			if ours(client, address, name) {
				c, err := a.channel(client, name)
				if err != nil {
					return err
				}
				return use(c)
			}
			c, err := imagejob.ToRead(ctx, address, readsWith())
			if err != nil {
				return err
			}
			return use(c)
		},
	}
}

// ours reports whether an address is that of the workspace's channel, on the server to which it is published. Another folder of that
// server may have a channel of the same name.
func ours(client *prefixdev.Client, address, name string) bool {
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
