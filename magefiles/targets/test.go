package targets

import (
	"context"
	"path/filepath"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Test runs tests.
type Test mg.Namespace

// All runs every test. The tests of Go, of the packages and of the downstreams run in parallel. For example: `mage test:all`, `mage lint test:all`.
// Exit statuses: mage help test:all.
func (Test) All(ctx context.Context) error {
	if err := testAll(ctx); err != nil {
		return err
	}
	return lead(ctx, "`mage check`")
}

func testAll(ctx context.Context) error {
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		jobs := []any{mg.F(testGo), mg.F(testPackages)}
		for _, d := range w.Downstreams {
			jobs = append(jobs, mg.F(testDownstream, d.Dir))
		}
		mg.CtxDeps(ctx, jobs...)
		return nil
	})
}

// Package runs the tests of one package. NAME is its conda name, and its task is test-<folder>. For example: `mage test:package foopack-core`, `mage
// test:package foopack-ui`. Exit statuses: mage help test:package.
func (Test) Package(ctx context.Context, name string) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return packageTask("test", name).withNext(nextstep.AfterTest(w, name))(ctx, a, w)
	})
}

func testPackages(ctx context.Context) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		tasks, err := toolchain.TestTasks(w)
		for _, task := range tasks {
			if err == nil {
				err = a.task(ctx, w, "tests of the packages ("+task+")", toolchain.Task{Dir: w.Root, Name: task})
			}
		}
		return err
	})
}

// testDownstream runs a downstream's own tests: its task test. If the downstream has no such task, it prints that nothing was tested.
func testDownstream(ctx context.Context, dir string) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		d, err := w.Downstream(dir)
		if err != nil {
			return err
		}
		task := toolchain.FindTask(d.Manifest, "test")
		if task == "" {
			a.view.Say("%s has no task test, so the downstream is not tested", d.Manifest.Path)
			return nil
		}
		return a.task(ctx, w, "tests of "+d.Dir, toolchain.Task{Dir: filepath.Join(w.Root, d.Dir), Name: task})
	})
}

// packageTask runs the task for a package whose name begins with `verb`.
func packageTask(verb, name string) body {
	return func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		p, err := w.Package(name)
		if err != nil {
			return err
		}
		task, err := toolchain.PackageTask(w, verb, p)
		if err != nil {
			return err
		}
		return a.task(ctx, w, verb+" of "+p.Name, toolchain.Task{Dir: w.Root, Name: task})
	}
}

// task runs one task of a manifest as a group of output.
func (a *pipeline) task(ctx context.Context, w *workspace.Workspace, name string, t toolchain.Task) error {
	tools, err := a.toolchain(ctx, w)
	if err != nil {
		return err
	}
	return a.job(ctx, name, "read the output above of the task "+t.Name, func(g *view.Group) error {
		t.Stdout, t.Stderr = g, g
		return tools.Run(ctx, t)
	})
}
