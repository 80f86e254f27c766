package toolchain

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Sources provides the source tree for a build. It is implemented by package sources.
type Sources interface {
	// Take returns a folder with the contents of the workspace root that are needed to build the given packages together. The folder has not been
	// used by another build. The caller must call `done` with the built archives or the build's error. `done` releases the folder, and returns
	// that error or an error about the sources.
	Take(ctx context.Context, packages ...*workspace.Package) (root string, done func(archives []string, err error) error, err error)
}

// Take obtains the sources for packages that are built together, and returns a workspace rooted there. If b.Sources is nil, the build uses the
// workspace's own folder.
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
