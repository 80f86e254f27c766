package toolchain

import (
	"context"
	"io"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Lock brings the lock files of manifests of a workspace up to date. Only a toolchain with a solver can: a lock file is what
// that chose. job shows what f writes in one piece, under a name; next is what to do where a child of it has failed.
func Lock(ctx context.Context, t Toolchain, w *workspace.Workspace, manifests []*manifest.Manifest, job func(ctx context.Context, name, next string, f func(out io.Writer) error) error) error {
	locker, ok := t.(interface {
		Lock(ctx context.Context, dir string, check bool, log io.Writer) error
	})
	if !ok {
		return operr.New("install pixi, or let it be fetched and checked: PIPELINE_TOOLCHAIN=pixi",
			"a lock file is what pixi's solver chose, and the %s toolchain has no solver", t.Name())
	}
	for _, m := range manifests {
		err := job(ctx, "lock of "+m.Path, "see above", func(out io.Writer) error {
			return locker.Lock(ctx, filepath.Join(w.Root, filepath.FromSlash(m.Dir)), false, out)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
