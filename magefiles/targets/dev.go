package targets

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/magefile/mage/mg"
	"github.com/magefile/mage/sh"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Check is what a pull request must pass: lint, formatting, versions that agree, every test.
func Check(ctx context.Context) error {
	mg.CtxDeps(ctx, lintGo, lintFiles, mg.F(rootTask, "lint"), mg.F(rootTask, "fmt-check"), versionsAgree, Test.All)
	return nil
}

// Lint runs the linters over Python, Go, workflows and scripts: the task lint, go vet, and what magefiles/lint.mod and lint.txt pin.
func Lint(ctx context.Context) error {
	mg.CtxDeps(ctx, lintGo, lintFiles, mg.F(rootTask, "lint"))
	return nil
}

// Fmt formats Python and Go in place: the task fmt, and gofumpt or gofmt.
func Fmt(ctx context.Context) error {
	mg.CtxDeps(ctx, formatGo, mg.F(rootTask, "fmt"))
	return nil
}

// Clean removes artifacts, the channels of channel:serve, and environments of the embedded toolchain; caches of tools stay.
func Clean(ctx context.Context) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		if err := a.checkEmptied(ctx, w); err != nil {
			return err
		}
		if err := store.InUse(filepath.Join(w.Root, outputDir, channelsDir)); err != nil {
			return err
		}
		remove := []string{outputDir, filepath.Join(".pixi", "embedded"), filepath.Join(".pixi", "overlay")}
		for _, d := range w.Downstreams {
			remove = append(remove, filepath.Join(d.Dir, ".pixi", "embedded"))
		}
		found := false
		for _, dir := range remove {
			if leads, err := os.Readlink(filepath.Join(w.Root, dir)); err == nil {
				if err := os.Remove(filepath.Join(w.Root, dir)); err != nil {
					return err
				}
				a.view.Line("removed %s, a link; what is in %s stays", dir, leads)
				found = true
				continue
			}
			held, err := os.ReadDir(filepath.Join(w.Root, dir))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := sh.Rm(filepath.Join(w.Root, dir)); err != nil {
				return err
			}
			var names []string
			for _, e := range held {
				names = append(names, e.Name())
			}
			a.view.Line("removed %s (%s)", dir, strings.Join(names, ", "))
			found = true
		}
		if !found {
			a.view.Line("there is nothing to remove")
		}
		return nil
	})
}

// rootTask runs a task of the workspace as one of several jobs; a workspace without it is told so.
func rootTask(ctx context.Context, name string) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		task := toolchain.FindTask(w.Manifest, name)
		if task == "" {
			a.view.Say("%s has no task %s: skipped", w.Manifest.Path, name)
			return nil
		}
		return a.task(ctx, w, task, toolchain.Task{Dir: w.Root, Name: task})
	})
}

// versionsAgree fails when the manifests contradict each other.
func versionsAgree(ctx context.Context) error {
	return jobInWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		return a.job(ctx, "versions", "", func(*group) error {
			if n := len(w.Disagreements()); n > 0 {
				return operr.New("run `mage version:show`, which names them", "the manifests disagree in %s", operr.Count(n, "place"))
			}
			return nil
		})
	})
}
