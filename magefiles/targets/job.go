package targets

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

type group = view.Group

// body is a target that works on the workspace that it was started in.
type body func(ctx context.Context, a *pipeline, w *workspace.Workspace) error

// load reads the workspace first.
func (f body) load(ctx context.Context, a *pipeline) error {
	w, err := a.workspace()
	if err != nil {
		return err
	}
	return f(ctx, a, w)
}

// inWorkspace runs a target's body, and jobInWorkspace that of one which other targets depend on.
func inWorkspace(ctx context.Context, f body) error { return run(ctx, f.load) }

// inPackages is inWorkspace for a target that has nothing to do where there is no package: nothing is not well done.
func inPackages(ctx context.Context, f body) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		if err := w.NoPackages(); err != nil {
			return err
		}
		return f(ctx, a, w)
	})
}

func jobInWorkspace(ctx context.Context, f body) error { return runJob(ctx, f.load) }

// job runs f with its output collected into one group. The error of a child that has already said everything there is
// short; next is what to do about it.
func (a *pipeline) job(ctx context.Context, name, next string, f func(g *group) error) error {
	g := a.view.Group(name)
	err := f(g)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if g.Done(err) == nil {
		return nil
	}
	return ofChild(err, next, name)
}

// ofChild names what a child was started for, where an error is only that it failed: what there is to say it has said already.
func ofChild(err error, next, name string) error {
	var exit *command.ExitError
	var told *operr.Error
	if errors.As(err, &exit) && !errors.As(err, &told) {
		return operr.New(next, "%s: %w", name, err)
	}
	return err
}

// checkOwn is asked before anything is written to the workspace's own folders.
func (a *pipeline) checkOwn(ctx context.Context, w *workspace.Workspace) error {
	return folders.Check(ctx, a.runner, w)
}

// lockFile stands beside a manifest that was locked.
const lockFile = workspace.LockFile
