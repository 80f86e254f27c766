package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/publishing"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Build makes conda packages.
type Build mg.Namespace

// All builds every package into output/. It writes their digests beside them. For example: `mage build:all`, `mage build:all -compare=elsewhere`.
func (Build) All(ctx context.Context,
	compare *string, // a folder with what another build of the commit made: the bytes are compared
	digests *string, // what that build said it made; in a CI, the output of its job; default: what its folder says
) error {
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		return publishing.BuildAll(ctx, a.publishing(w), orZero(compare), orZero(digests))
	})
}

// Package builds one package into output/. It is named by its conda name. For example: `mage build:package foopack-core`, `mage build:package
// foopack-ui`.
func (Build) Package(ctx context.Context, name string) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		p, err := w.Package(name)
		if err != nil {
			return err
		}
		_, err = publishing.Build(ctx, a.publishing(w), []*workspace.Package{p})
		return err
	})
}
