package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/adopt"
	"github.com/foopack/foopack/magefiles/internal/gomodule"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Adopt lets the repository that it is started in have these targets. It is what the program magefiles/init does.
func Adopt(ctx context.Context, r adopt.Request, yes bool) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		version := gomodule.BuiltAs(modulePath)
		if version == "devel" || version == "(devel)" {
			return operr.New("start it by `go run "+modulePath+"/magefiles/init@main`", "this init was built in a checkout, and has no version that a go.mod could name")
		}
		return adopt.Adopter{
			Runner:  a.runner,
			Environ: a.runner.Environ(),
			View:    a.view,
			Dir:     a.dir,
			Version: version,
			Confirm: func(ctx context.Context, question string) error { return a.confirm(ctx, yes, question) },
		}.Run(ctx, r)
	})
}
