package targets

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// outputDir is where artifacts go, below the workspace's root.
const outputDir = "output"

// Build makes conda packages.
type Build mg.Namespace

// All builds every package into output/.
func (Build) All(ctx context.Context) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		return a.build(ctx, w, w.Order())
	})
}

// Package builds one package, named by its conda name, into output/.
func (Build) Package(ctx context.Context, name string) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		p, err := w.Package(name)
		if err != nil {
			return err
		}
		return a.build(ctx, w, []*workspace.Package{p})
	})
}

func (a *app) build(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package) error {
	if err := a.versioned(ctx, w, packages); err != nil {
		return err
	}
	if err := a.buildable(ctx, w, packages); err != nil {
		return err
	}
	tools, err := a.toolchain(ctx, w)
	if err != nil {
		return err
	}
	date, err := a.sourceDate(ctx, w)
	if err != nil {
		return err
	}
	cache, err := a.cache()
	if err != nil {
		return err
	}
	var built []toolchain.Artifact
	err = a.job(ctx, "build of "+operr.Count(len(packages), "package"), "", func(g *group) error {
		request := toolchain.Build{
			Workspace: w, Packages: packages, Dir: filepath.Join(w.Root, outputDir), SourceDate: date, AnyWheel: true,
			Sources: a.sources(w, cache).WorkTree(),
		}
		if a.view.Verbose { // the end of what a builder said stands in its error anyway
			request.Log = g
		}
		built, err = tools.Build(ctx, request)
		return err
	})
	if err != nil {
		return err
	}
	var rows [][]string
	for _, b := range built {
		rows = append(rows, []string{filepath.Join(outputDir, filepath.Base(b.Path)), fmt.Sprint(b.Size), b.SHA256})
	}
	a.view.Table([]string{"ARTIFACT", "BYTES", "SHA256"}, rows)
	for _, line := range toolchain.BetweenTags(packages, built) {
		a.view.Say("%s", line)
	}
	return nil
}
