package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/adopt"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
)

// Adopt lets the repository that it is started in have these targets. It is what the program magefiles/init does.
func Adopt(ctx context.Context, r adopt.Request, yes bool) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		return adopt.Adopter{
			Runner:  a.runner,
			Environ: a.runner.Environ(),
			View:    a.view,
			Dir:     a.dir,
			Version: gomodule.BuiltAs(modulePath),
			Confirm: func(ctx context.Context, question string) error { return a.confirm(ctx, yes, question) },
		}.Run(ctx, r)
	})
}
