package sources

import (
	"context"
	"errors"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Whole refuses to build packages of which files are not there, or of which there is only what git stores in their place.
// Other changes are what a build in the work tree is for. Outside of git there is nothing to ask.
func Whole(ctx context.Context, runner command.Runner, w *workspace.Workspace, packages []*workspace.Package) error {
	repo, err := gitrepo.Open(ctx, runner, w.Root)
	switch {
	case errors.Is(err, gitrepo.ErrOutside):
		return nil
	case err != nil:
		return err
	}
	packed, _ := w.Sources(packages...)
	lacks, err := lacking.Find(ctx, repo, packed, nil)
	if err != nil {
		return err
	}
	return lacking.Refuse(slices.DeleteFunc(lacks, func(l lacking.Lack) bool { return l.Kind == lacking.Differs }))
}
