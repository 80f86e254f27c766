package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// answer shows f's result, as one JSON object if asJSON is set, and otherwise by calling show. With asJSON, standard output has only this object, and
// all other output goes to standard error.
func answer[T any](a *pipeline, asJSON bool, f func() (T, error), show func(T)) error {
	out := a.view.Out
	if asJSON {
		a.view.Out = a.view.Err
	}
	result, err := f()
	a.view.Out = out
	switch {
	case err != nil:
		return err
	case asJSON:
		return a.view.JSON(result)
	}
	show(result)
	return nil
}

// `next` shows the next step, or nothing for "". It runs git only if a next step is shown.
func (a *pipeline) next(ctx context.Context, step string) {
	if step != "" && a.view.Leads() {
		a.view.Next("%s", nextstep.WithCommit(ctx, a.runner, a.dir, step))
	}
}

// `withNext` returns a body that also shows a next step if f succeeds.
func (f body) withNext(step string) body {
	return func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		err := f(ctx, a, w)
		if err == nil {
			a.next(ctx, step)
		}
		return err
	}
}

// lead shows the next step after successful jobs.
func lead(ctx context.Context, step string) error {
	return inWorkspace(ctx, body(func(context.Context, *pipeline, *workspace.Workspace) error { return nil }).withNext(step))
}

// A flag that is absent from the command line is nil.

func isSet(flag *bool) bool { return flag != nil && *flag }

func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}
