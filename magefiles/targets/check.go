package targets

import (
	"context"
	"io"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lint"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Check is what a pull request must pass. These are lint, formatting, versions that agree, and every test. For example: `mage check`, `mage fmt
// check`.
func Check(ctx context.Context) error {
	// Said once, and not by each of the jobs. That workflow files have fallen behind is no failure: nobody has to have them written.
	err := inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		if stale, err := ciwrite.Stale(ctx, a.runner, w); err == nil && stale != "" {
			a.view.Say("%s", stale)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	mg.CtxDeps(ctx, lintGo, lintFiles, mg.F(rootTask, "lint"), mg.F(rootTask, "fmt-check"), versionsAgree, Test.All)
	return nil
}

// Lint runs the linters. They are the task lint, go vet, and what magefiles/lint.mod and lint.txt pin. For example: `mage lint`, `mage fmt lint`.
func Lint(ctx context.Context) error {
	mg.CtxDeps(ctx, lintGo, lintFiles, mg.F(rootTask, "lint"))
	return nil
}

// Fmt formats Python and Go in place. It runs the task fmt, and gofumpt or gofmt. For example: `mage fmt`, `mage fmt lint`.
func Fmt(ctx context.Context) error {
	mg.CtxDeps(ctx, formatGo, mg.F(rootTask, "fmt"))
	return nil
}

// The jobs of package lint, which targets depend on.
func lintGo(ctx context.Context) error    { return jobInWorkspace(ctx, linting(lint.Linter.Go)) }
func lintFiles(ctx context.Context) error { return jobInWorkspace(ctx, linting(lint.Linter.Files)) }
func formatGo(ctx context.Context) error  { return jobInWorkspace(ctx, linting(lint.Linter.Format)) }

func versionsAgree(ctx context.Context) error {
	return jobInWorkspace(ctx, linting(lint.Linter.Versions))
}

func testGo(ctx context.Context) error { return jobInWorkspace(ctx, linting(lint.Linter.Test)) }

func linting(job func(l lint.Linter, ctx context.Context) error) body {
	return func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		a.view.Once(command.Passing(a.runner.Environ(), w.Config.Pass))
		return job(lint.Linter{
			Runner:    a.runner,
			Environ:   a.runner.Environ(),
			Workspace: w,
			Job:       a.show,
			Programs: func(ctx context.Context, what, pins string) (string, error) {
				cache, err := a.cache()
				if err != nil {
					return "", err
				}
				return a.embedded(w, cache, "").Programs(ctx, what, pins)
			},
		}, ctx)
	}
}

// show is job for packages that know no view.
func (a *pipeline) show(ctx context.Context, name, next string, f func(out io.Writer) error) error {
	return a.job(ctx, name, next, func(g *group) error { return f(g) })
}

// rootTask runs a task of the workspace as one of several jobs; a workspace without it is told so.
func rootTask(ctx context.Context, name string) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		task := toolchain.FindTask(w.Manifest, name)
		if task == "" {
			a.view.Say("%s has no task %s: skipped", w.Manifest.Path, name)
			return nil
		}
		return a.task(ctx, w, task, toolchain.Task{Dir: w.Root, Name: task})
	})
}
