package targets

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/imagepin"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Lock renews locks, and pins of images. It runs pixi's lock for the workspace and each downstream, and pins the images of Dockerfiles and workflows
// by digest. For example: `mage lock`, `mage lock -images`.
func Lock(ctx context.Context,
	images *bool, // pin the images alone, which needs no pixi
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
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
	})
}
