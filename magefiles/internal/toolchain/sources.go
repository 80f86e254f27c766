package toolchain

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Sources gives builds what they are built from. Package sources has the one that is used.
type Sources interface {
	// Take returns a folder that is as the workspace's root is to be for a build of the packages, which are built together. Nothing
	// was built in it before. done gives it back, with the archives that were built or why there are none; its error is the
	// build's, or what is wrong with the sources that they were built from.
	Take(ctx context.Context, packages ...*workspace.Package) (root string, done func(archives []string, err error) error, err error)
}

// Take takes the sources of packages that are built together, and returns the workspace with these. Without Sources, a build sees
// the folder that the workspace was read from.
func (b Build) Take(ctx context.Context, packages ...*workspace.Package) (*workspace.Workspace, func([]string, error) error, error) {
	if b.Sources == nil {
		return b.Workspace, func(_ []string, err error) error { return err }, nil
	}
	root, done, err := b.Sources.Take(ctx, packages...)
	if err != nil {
		return nil, nil, err
	}
	return b.Workspace.At(root), done, nil
}
