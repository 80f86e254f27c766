package targets

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/magefile/mage/sh"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Clean removes artifacts, the channels of channel:serve, and environments of the embedded toolchain; caches of tools stay.
func Clean(ctx context.Context) error {
	return inWorkspace(ctx, func(ctx context.Context, a *app, w *workspace.Workspace) error {
		if err := a.checkEmptied(ctx, w); err != nil {
			return err
		}
		if err := store.InUse(filepath.Join(w.Root, outputDir, channelsDir)); err != nil {
			return err
		}
		remove := []string{outputDir, filepath.Join(".pixi", "embedded"), filepath.Join(".pixi", "overlay")}
		for _, d := range w.Downstreams {
			remove = append(remove, filepath.Join(d.Dir, ".pixi", "embedded"))
		}
		found := false
		for _, dir := range remove {
			if leads, err := os.Readlink(filepath.Join(w.Root, dir)); err == nil {
				if err := os.Remove(filepath.Join(w.Root, dir)); err != nil {
					return err
				}
				a.view.Line("removed %s, a link; what is in %s stays", dir, leads)
				found = true
				continue
			}
			held, err := os.ReadDir(filepath.Join(w.Root, dir))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err := sh.Rm(filepath.Join(w.Root, dir)); err != nil {
				return err
			}
			var names []string
			for _, e := range held {
				names = append(names, e.Name())
			}
			a.view.Line("removed %s (%s)", dir, strings.Join(names, ", "))
			found = true
		}
		if !found {
			a.view.Line("there is nothing to remove")
		}
		return nil
	})
}
