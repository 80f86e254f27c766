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

// CheckWhole returns an error if files of the packages are missing, or are only git placeholders. Other changes are allowed, because builds of
// the work tree are meant to include them. It is a no-op outside git.
func CheckWhole(ctx context.Context, runner command.Runner, w *workspace.Workspace, packages []*workspace.Package) error {
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
