package toolchain

import (
	"context"
	"io"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Lock updates the lock files of a workspace's manifests. It requires a toolchain with a solver. `job` runs `f` and prints its output as one
// block under the heading `name`; `next` is the next step if a child process of `f` fails.
func Lock(ctx context.Context, t Toolchain, w *workspace.Workspace, manifests []*manifest.Manifest, job func(ctx context.Context, name, next string, f func(out io.Writer) error) error) error {
	locker, ok := t.(interface {
		Lock(ctx context.Context, dir string, check bool, log io.Writer) error
	})
	if !ok {
		return operr.New("install pixi, or set PIPELINE_TOOLCHAIN=pixi, which downloads and verifies the pinned pixi",
			"only pixi's solver can write a lock file, and the %s toolchain has no solver", t.Name())
	}
	for _, m := range manifests {
		err := job(ctx, "lock of "+m.Path, "read the output of pixi above", func(out io.Writer) error {
			return locker.Lock(ctx, filepath.Join(w.Root, filepath.FromSlash(m.Dir)), false, out)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
