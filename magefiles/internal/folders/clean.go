package folders

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/provenance"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Cleaner removes the results of builds from a workspace.
type Cleaner struct {
	Runner command.Runner
	Remove func(path string) error                          // removes a file or a folder with its contents
	Agree  func(ctx context.Context, question string) error // asks the user; if it returns an error, nothing is removed
	Size   func(bytes int64) string                         // formats a size for display
	Say    func(format string, args ...any)                 // prints a line
}

// going is a group of paths that are removed together.
type going struct {
	paths []string // folders, files or symlinks to remove
	what  string   // description, such as "output (a.conda, b.conda)"
	stays string   // remark about files that are kept, or ""
	link  bool     // whether this is a symlink, whose target is kept
}

// Clean removes artifacts, unused channels, and environments of the embedded toolchain. It removes only files that were made here and that git does
// not track. It removes symlinks without their targets, and nothing behind a symlink. It first prints everything that it will remove, and asks the
// user if that includes packages in a channel. If a release, a delivery, a deployment, a rehearsal or an image build is in progress here, the error
// is an operr.Stopped.
func (c Cleaner) Clean(ctx context.Context, w *workspace.Workspace) error {
	if err := checkEmptied(ctx, c.Runner, w); err != nil {
		return err
	}
	free, err := hold(ctx, c.Runner, w)
	if err != nil {
		return err
	}
	defer free()
	channels := filepath.Join(w.Root, workspace.OutputDir, Channels)
	if err := store.CheckUnused(channels); err != nil {
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
	goes, notes, err := output(outputs{w: w, tracked: tracked, listed: listed})
	if err != nil {
		return err
	}
	for _, dir := range cleanedFolders(w) {
		found := wholeFolder(w.Root, dir)
		var link *beneath.LinkError
		switch {
		case len(found) == 0:
		case (outputs{tracked: tracked}).isTracked(filepath.ToSlash(dir)):
			notes = append(notes, dir+" stays: git tracks files in this folder")
		case errors.As(beneath.NoLink(w.Root, path.Dir(filepath.ToSlash(dir))), &link):
			notes = append(notes, fmt.Sprintf("%s stays, because %s is a link to %s", dir, link.Link, link.Leads))
		default:
			goes = append(goes, found...)
		}
	}
	var all int64
	for _, g := range goes {
		size := measure(g)
		all += size
		c.Say("%s%s%s", g.what, c.describeSize(g, size), g.stays)
	}
	for _, note := range notes {
		c.Say("%s", note)
	}
	if len(goes) == 0 {
		if len(notes) == 0 {
			c.Say("there is nothing to remove")
		}
		return nil
	}
	if err := c.agree(ctx, goes, channels); err != nil {
		return err
	}
	for _, g := range goes {
		for _, path := range g.paths {
			if err := c.remove(g, path); err != nil {
				return err
			}
		}
	}
	c.Say("removed: %s", c.Size(all))
	return nil
}

// remove removes a folder and its contents. Files that mark the folder as ours are removed last, so that clean can run again after a kill.
func (c Cleaner) remove(g going, path string) error {
	if g.link {
		return os.Remove(path)
	}
	entries, _ := os.ReadDir(path) // a file has no entries
	for _, e := range entries {
		at, remove := filepath.Join(path, e.Name()), c.Remove
		switch {
		case slices.Contains(telling, e.Name()):
			continue
		case e.IsDir() && isTold(at):
			remove = func(path string) error { return c.remove(g, path) }
		}
		if err := remove(at); err != nil {
			return err
		}
	}
	return c.Remove(path)
}

// telling lists the files that mark a folder, or its contents, as ours.
var telling = []string{ignoreFile, provenance.MadeFile, ".lock"}

// isTold reports whether a folder contains one of these files.
func isTold(dir string) bool {
	return slices.ContainsFunc(telling, func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
}

// describeSize returns the size of a group, formatted to follow its name.
func (c Cleaner) describeSize(g going, size int64) string {
	if g.link {
		return ""
	}
	return ", " + c.Size(size)
}

// agree asks the user before packages are removed that were published to a local channel, because they may exist nowhere else.
func (c Cleaner) agree(ctx context.Context, goes []going, channels string) error {
	published := going{}
	for _, g := range goes {
		for _, path := range g.paths {
			if !g.link && (path == channels || path == filepath.Dir(channels)) {
				published.paths = artifacts(channels)
			}
		}
	}
	if len(published.paths) == 0 {
		return nil
	}
	return c.Agree(ctx, fmt.Sprintf("Remove all of this, including %s (%s) that %s published to channels in %s?", operr.Count(len(published.paths), "package"), c.Size(measure(published)),
		map[bool]string{true: "was", false: "were"}[len(published.paths) == 1], filepath.Join(workspace.OutputDir, Channels)))
}

// artifacts returns the packages below a folder.
func artifacts(dir string) (found []string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, condapkg.Ext) {
			found = append(found, path)
		}
		return nil // an unreadable folder is not counted; removing it will report the error
	})
	return found
}

// measure returns the total size of the files in a group, as far as they can be read. The size of a symlink is 0.
func measure(g going) (bytes int64) {
	if g.link {
		return 0
	}
	for _, path := range g.paths {
		_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				if info, _ := e.Info(); info != nil { // the file may have been removed
					bytes += info.Size()
				}
			}
			return nil
		})
	}
	return bytes
}

// output returns the files in the output folder that were made here, or the whole folder if it has no other files. If nothing is to be removed, it
// returns a note.
func output(o outputs) (goes []going, notes []string, err error) {
	at := filepath.Join(o.w.Root, workspace.OutputDir)
	if st, err := os.Lstat(at); err != nil || !st.IsDir() {
		//lint:ignore nilerr the folder is a link, or does not exist
		return wholeFolder(o.w.Root, workspace.OutputDir), nil, nil
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return nil, nil, err
	}
	made, stay := o.split(entries)
	if len(stay) == 0 {
		return wholeFolder(o.w.Root, workspace.OutputDir), nil, nil
	}
	if len(made) == 0 {
		return nil, []string{fmt.Sprintf("%s stays, because nothing in it was made here: %s", workspace.OutputDir, operr.Abbreviate(stay))}, nil
	}
	g := going{
		what:  strings.Join(made, ", ") + " in " + workspace.OutputDir,
		stays: "; these files were not made here and stay: " + operr.Abbreviate(stay),
	}
	if list := provenance.MadeFile; !o.isTracked(path.Join(workspace.OutputDir, list)) {
		made = append(slices.Clone(made), list)
	}
	for _, name := range made {
		g.paths = append(g.paths, filepath.Join(at, name))
	}
	return []going{g}, nil, nil
}

// cleanedFolders returns the folders that clean removes in addition to the files in the output folder. They are relative to the root.
func cleanedFolders(w *workspace.Workspace) []string {
	all := []string{filepath.Join(manifest.PixiDir, "embedded"), filepath.Join(manifest.PixiDir, "overlay")}
	for _, d := range w.Downstreams {
		all = append(all, filepath.Join(d.Dir, manifest.PixiDir, "embedded"))
	}
	return all
}

// wholeFolder returns a group that consists of a folder, or of a symlink in its place, or nil if it does not exist.
func wholeFolder(root, dir string) []going {
	at := filepath.Join(root, dir)
	if leads, err := os.Readlink(at); err == nil {
		return []going{{
			paths: []string{at},
			what:  dir + ", a link",
			stays: "; the contents of " + leads + " stay",
			link:  true,
		}}
	}
	held, err := os.ReadDir(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// If the folder cannot be read, removing it will report the error.
	var names []string
	for _, e := range held {
		if e.Name() != provenance.MadeFile {
			names = append(names, e.Name())
		}
	}
	return []going{{
		paths: []string{at},
		what:  fmt.Sprintf("%s (%s)", dir, strings.Join(names, ", ")),
	}}
}
