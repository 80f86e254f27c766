package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Lock updates lock files and image pins. It updates pixi.lock of the workspace and of each downstream, and pins the images in Dockerfiles and
// workflows by digest. For example: `mage lock`, `mage lock -images`. Exit statuses: mage help lock.
func Lock(ctx context.Context,
	images *bool, // pin only the images, which needs no pixi
) error {
	return inWorkspace(ctx, body(func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		files, err := gitrepo.TrackedFiles(ctx, a.runner, w.Root)
		if err != nil {
			return err
		}
		pinner := imagepin.Pinner{Root: w.Root, Registry: newRegistry(), Absent: registry.ErrNotFound, Say: a.view.Text}
		if err := pinner.Pin(ctx, files); err != nil || isSet(images) {
			return err
		}
		tools, err := a.toolchain(ctx, w)
		if err != nil {
			return err
		}
		return toolchain.Lock(ctx, tools, w, w.Manifests(), a.show)
	}).withNext("`mage check`"))
}
