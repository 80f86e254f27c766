package folders

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Cleaner removes what builds have made in a workspace.
type Cleaner struct {
	Runner command.Runner
	Remove func(path string) error          // a folder with all that is in it
	Say    func(format string, args ...any) // shows a line
}

// Clean removes artifacts, channels that are not in use, and environments of the embedded toolchain. Of a link what it leads to stays.
func (c Cleaner) Clean(ctx context.Context, w *workspace.Workspace) error {
	if err := checkEmptied(ctx, c.Runner, w); err != nil {
		return err
	}
	if err := store.InUse(filepath.Join(w.Root, workspace.OutputDir, Channels)); err != nil {
		return err
	}
	found := false
	for _, dir := range emptied(w) {
		removed, err := c.remove(w.Root, dir)
		if err != nil {
			return err
		}
		found = found || removed
	}
	if !found {
		c.Say("there is nothing to remove")
	}
	return nil
}

// emptied are the folders that clean removes, from the root.
func emptied(w *workspace.Workspace) []string {
	all := []string{workspace.OutputDir, filepath.Join(workspace.PixiDir, "embedded"), filepath.Join(workspace.PixiDir, "overlay")}
	for _, d := range w.Downstreams {
		all = append(all, filepath.Join(d.Dir, workspace.PixiDir, "embedded"))
	}
	return all
}

// remove removes a folder, or the link that is there for it, and says so. It reports whether there was one.
func (c Cleaner) remove(root, dir string) (bool, error) {
	at := filepath.Join(root, dir)
	if leads, err := os.Readlink(at); err == nil {
		if err := os.Remove(at); err != nil {
			return false, err
		}
		c.Say("removed %s, a link; what is in %s stays", dir, leads)
		return true, nil
	}
	held, err := os.ReadDir(at)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err := c.Remove(at); err != nil {
		return false, err
	}
	var names []string
	for _, e := range held {
		names = append(names, e.Name())
	}
	c.Say("removed %s (%s)", dir, strings.Join(names, ", "))
	return true, nil
}
