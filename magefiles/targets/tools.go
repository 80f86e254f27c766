package targets

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/sources"
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
