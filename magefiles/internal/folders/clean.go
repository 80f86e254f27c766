package folders

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Cleaner removes what builds have made in a workspace.
type Cleaner struct {
	Runner command.Runner
	Remove func(path string) error          // a folder with all that is in it
	Say    func(format string, args ...any) // shows a line
}

// Clean removes artifacts, channels that are not in use, and environments of the embedded toolchain: what was made here, and nothing
// that git knows. Of a link what it leads to stays.
func (c Cleaner) Clean(ctx context.Context, w *workspace.Workspace) error {
	if err := checkEmptied(ctx, c.Runner, w); err != nil {
		return err
	}
	if err := store.InUse(filepath.Join(w.Root, workspace.OutputDir, Channels)); err != nil {
		return err
	}
	tracked, err := gitrepo.TrackedFiles(ctx, c.Runner, w.Root)
	if err != nil {
		return err
	}
	listed, err := provenance.Made(filepath.Join(w.Root, workspace.OutputDir))
	if err != nil {
		return err
	}
	found, err := c.output(outputs{w: w, tracked: tracked, listed: listed})
	if err != nil {
		return err
	}
	for _, dir := range emptied(w) {
		if (outputs{tracked: tracked}).isTracked(filepath.ToSlash(dir)) {
			c.Say("%s stays: git knows files in it", dir)
			continue
		}
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

// output removes what was made in the folder of outputs, or all of it where there is nothing else. It reports whether there was something.
func (c Cleaner) output(o outputs) (bool, error) {
	at := filepath.Join(o.w.Root, workspace.OutputDir)
	if st, err := os.Lstat(at); err != nil || !st.IsDir() {
		return c.remove(o.w.Root, workspace.OutputDir)
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return false, err
	}
	made, stay := o.split(entries)
	if len(stay) == 0 {
		return c.remove(o.w.Root, workspace.OutputDir)
	}
	gone := made
	if list := provenance.MadeFile; len(made) > 0 && !o.isTracked(path.Join(workspace.OutputDir, list)) {
		gone = append(slices.Clone(made), list)
	}
	for _, name := range gone {
		if err := c.Remove(filepath.Join(at, name)); err != nil {
			return false, err
		}
	}
	if len(made) > 0 {
		c.Say("removed %s in %s; what was not made here stays: %s", strings.Join(made, ", "), workspace.OutputDir, operr.Some(stay))
	} else {
		c.Say("nothing in %s was made here, and it stays: %s", workspace.OutputDir, operr.Some(stay))
	}
	return true, nil
}

// emptied are the folders that clean removes, from the root, beside what is in that of outputs.
func emptied(w *workspace.Workspace) []string {
	all := []string{filepath.Join(manifest.PixiDir, "embedded"), filepath.Join(manifest.PixiDir, "overlay")}
	for _, d := range w.Downstreams {
		all = append(all, filepath.Join(d.Dir, manifest.PixiDir, "embedded"))
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
		if e.Name() != provenance.MadeFile {
			names = append(names, e.Name())
		}
	}
	c.Say("removed %s (%s)", dir, strings.Join(names, ", "))
	return true, nil
}
