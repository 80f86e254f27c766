package targets

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

type group = view.Group

// job runs f with its output collected into one group. The error of a child that has already said everything there is
// short; next is what to do about it.
func (a *app) job(ctx context.Context, name, next string, f func(g *group) error) error {
	g := a.view.Group(name)
	err := f(g)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if g.Done(err) == nil {
		return nil
	}
	var exit *command.ExitError
	var told *operr.Error
	if errors.As(err, &exit) && !errors.As(err, &told) {
		return operr.New(next, "%s: %w", name, err)
	}
	return err
}
