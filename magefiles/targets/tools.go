package targets

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
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
	return sources.Sources{Runner: a.runner, Workspace: w, Cache: filepath.Join(cache, sourcesDir), Tell: a.view.Say}
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
		Runner: a.runner, Sources: from, Environ: a.runner.Environ(), Cache: cache, Workspace: w, Log: a.view.Err, Environments: environments,
		Published: func(ctx context.Context, name, version string) (string, error) {
			if channelName(w) == "" {
				return "", noChannel(w)
			}
			return a.published(ctx, channelName(w), name, version, filepath.Join(cache, "published"))
		},
		Places: pythonPlaces(),
	})
}

// published fetches one version of a package from our channel into dir, where it is kept under its digest.
func (a *app) published(ctx context.Context, from, name, version, dir string) (string, error) {
	client, err := newChannelClient()
	if err != nil {
		return "", err
	}
	return seen(ctx, client, from, func(c *prefixdev.Channel) (string, error) { return channel.Fetch(ctx, c, name, version, dir) })
}
