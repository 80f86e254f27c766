package targets

import (
	"context"
	"errors"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/sources"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// allThere refuses to publish from a work tree that lacks files of packages, or where they are not what is committed.
func allThere(ctx context.Context, repo *gitrepo.Repo, w *workspace.Workspace) error {
	if err := sources.AllManifests(ctx, repo); err != nil {
		return err
	}
	packed, named := w.Sources(w.Packages...)
	lacks, err := repo.Lacking(ctx, packed, named)
	if err != nil {
		return err
	}
	return gitrepo.Refuse(lacks)
}

// buildable refuses to build packages of which files are not there, or of which there is only what git stores in their place.
// Other changes are what a build in the work tree is for. Outside of git there is nothing to ask.
func (a *app) buildable(ctx context.Context, w *workspace.Workspace, packages []*workspace.Package) error {
	repo, err := gitrepo.Open(ctx, a.runner, w.Root)
	switch {
	case errors.Is(err, gitrepo.ErrOutside):
		return nil
	case err != nil:
		return err
	}
	packed, _ := w.Sources(packages...)
	lacks, err := repo.Lacking(ctx, packed, nil)
	if err != nil {
		return err
	}
	return gitrepo.Refuse(slices.DeleteFunc(lacks, func(l gitrepo.Lack) bool { return l.Kind == gitrepo.Differs }))
}
