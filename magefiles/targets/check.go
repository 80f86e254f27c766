package targets

import (
	"context"
	"io"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/lint"
	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Check runs all checks of a pull request. They are the linters, the format checks, the comparison of versions, and every test. For example: `mage
// check`, `mage fmt check`. Exit statuses: mage help check.
func Check(ctx context.Context) error {
	// This is reported once, not by each job. Outdated workflow files are not an error, because using `ci:write` is optional.
	err := inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		if stale, err := ciwrite.Stale(ctx, a.runner, w); err == nil && stale != "" {
			a.view.Say("%s", stale)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	mg.CtxDeps(ctx, lintGo, lintFiles, mg.F(rootTask, "lint"), mg.F(rootTask, "fmt-check"), versionsAgree, testAll)
	return lead(ctx, nextstep.Rehearse)
}

// Lint runs the linters. They are the task lint, go vet, and the tools that magefiles/lint.mod and lint.txt pin. For example: `mage lint`, `mage fmt
// lint`. Exit statuses: mage help lint.
func Lint(ctx context.Context) error {
	mg.CtxDeps(ctx, lintGo, lintFiles, mg.F(rootTask, "lint"))
	return lead(ctx, "`mage test:all`")
}

// Fmt formats Python and Go in place. It runs the task fmt, and gofumpt or gofmt. For example: `mage fmt`, `mage fmt lint`. Exit statuses: mage help fmt.
func Fmt(ctx context.Context) error {
	mg.CtxDeps(ctx, formatGo, mg.F(rootTask, "fmt"))
	return lead(ctx, "`git diff`, then `mage lint`")
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

// show is like job, for packages that do not import package view.
func (a *pipeline) show(ctx context.Context, name, next string, f func(out io.Writer) error) error {
	return a.job(ctx, name, next, func(g *view.Group) error { return f(g) })
}

// rootTask runs a workspace task as one of several jobs. It prints a message if the workspace has no such task.
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
