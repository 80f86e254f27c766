package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/nextstep"
	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Build makes conda packages.
type Build mg.Namespace

// All builds every package into output/. It also writes the packages' digests there. For example: `mage build:all`, `mage build:all
// -compare=elsewhere`. Exit statuses: mage help build:all.
func (Build) All(ctx context.Context,
	compare *string, // a folder with packages that another build of the same commit made, to compare their bytes
	digests *string, // digests that the build of these packages reported; in a CI, an output of its job; default: those in the folder
) error {
	return inPackages(ctx, body(func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return publishing.BuildAll(ctx, a.publishing(w), orZero(compare), orZero(digests))
	}).withNext(nextstep.Rehearse))
}

// Package builds one package into output/. NAME is its conda name. For example: `mage build:package foopack-core`, `mage build:package foopack-ui`.
// Exit statuses: mage help build:package.
func (Build) Package(ctx context.Context, name string) error {
	return inWorkspace(ctx, body(func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		p, err := w.Package(name)
		if err != nil {
			return err
		}
		_, err = publishing.Build(ctx, a.publishing(w), []*workspace.Package{p})
		return err
	}).withNext(nextstep.Rehearse))
}
