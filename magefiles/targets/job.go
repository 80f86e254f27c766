package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// body is a target that works on the workspace that it was started in.
type body func(ctx context.Context, a *pipeline, w *workspace.Workspace) error

// load returns a function that reads the workspace and then runs a body.
func (f body) load(ctx context.Context, a *pipeline) error {
	w, err := a.workspace()
	if err != nil {
		return err
	}
	return f(ctx, a, w)
}

// inWorkspace runs a target's body. jobInWorkspace runs the body of a target which other targets depend on.
func inWorkspace(ctx context.Context, f body) error { return run(ctx, f.load) }

// inPackages works as inWorkspace, but fails in a workspace without packages, in which the target would have nothing to do.
func inPackages(ctx context.Context, f body) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		if err := w.NoPackages(); err != nil {
			return err
		}
		return f(ctx, a, w)
	})
}

func jobInWorkspace(ctx context.Context, f body) error { return runJob(ctx, f.load) }

// job runs f with its output collected into one group. If a child has already explained its failure there, the
// returned error is short; next is the next step of that error.
func (a *pipeline) job(ctx context.Context, name, next string, f func(g *view.Group) error) error {
	g := a.view.Group(name)
	err := f(g)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if g.Done(err) == nil {
		return nil
	}
	return toolchain.OfChild(err, next, name)
}
