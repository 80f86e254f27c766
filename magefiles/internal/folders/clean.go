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

// Cleaner removes what builds have made in a workspace.
type Cleaner struct {
	Runner command.Runner
	Remove func(path string) error                          // a folder with all that is in it
	Agree  func(ctx context.Context, question string) error // its error ends it with nothing removed
	Size   func(bytes int64) string                         // as people read it
	Say    func(format string, args ...any)                 // shows a line
}

// going is something that is removed.
type going struct {
	paths []string // whole
	what  string   // as people know it: output (a.conda, b.conda)
	stays string   // what is said of what stays beside it; may be empty
	link  bool     // it alone goes: what it leads to stays
}

// Clean removes artifacts, channels that are not in use, and environments of the embedded toolchain: what was made here, and nothing
// that git knows. Of a link what it leads to stays, and so does what is behind one. All that goes is shown before, and where a channel has packages it is
// asked. It is for operr.Stopped that a release, a delivery, a deployment, a rehearsal or a build of an image is under way here.
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
	if err := store.InUse(channels); err != nil {
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
	for _, dir := range emptied(w) {
		found := whole(w.Root, dir)
		var link *beneath.LinkError
		switch {
		case len(found) == 0:
		case (outputs{tracked: tracked}).isTracked(filepath.ToSlash(dir)):
			notes = append(notes, dir+" stays: git knows files in it")
		case errors.As(beneath.NoLink(w.Root, path.Dir(filepath.ToSlash(dir))), &link):
			notes = append(notes, fmt.Sprintf("%s stays: it is behind %s, a link to %s", dir, link.Link, link.Leads))
		default:
			goes = append(goes, found...)
		}
	}
	var all int64
	for _, g := range goes {
		size := measure(g)
		all += size
		c.Say("%s%s%s", g.what, c.sized(g, size), g.stays)
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

// remove removes a folder with all that is in it. What tells that it is ours goes last: a clean that is killed can be run again.
func (c Cleaner) remove(g going, path string) error {
	if g.link {
		return os.Remove(path)
	}
	entries, _ := os.ReadDir(path) // a file has none
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

// telling are the files by which a folder, or what is in it, is known as ours.
var telling = []string{ignoreFile, provenance.MadeFile, ".lock"}

// isTold reports whether a folder has one of them.
func isTold(dir string) bool {
	return slices.ContainsFunc(telling, func(name string) bool {
		_, err := os.Lstat(filepath.Join(dir, name))
		return err == nil
	})
}

// sized is how much goes, behind what it is.
func (c Cleaner) sized(g going, size int64) string {
	if g.link {
		return ""
	}
	return ", " + c.Size(size)
}

// agree asks where packages go that were published to a channel here: they may be nowhere else.
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
	return c.Agree(ctx, fmt.Sprintf("Remove all of it, with %s (%s) that %s published to channels in %s?", operr.Count(len(published.paths), "package"), c.Size(measure(published)),
		map[bool]string{true: "was", false: "were"}[len(published.paths) == 1], filepath.Join(workspace.OutputDir, Channels)))
}

// artifacts are the packages below a folder.
func artifacts(dir string) (found []string) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.HasSuffix(path, condapkg.Ext) {
			found = append(found, path)
		}
		return nil // what cannot be read is not counted, and its removal says why
	})
	return found
}

// measure is how many bytes go, as far as that can be read: none of a link.
func measure(g going) (bytes int64) {
	if g.link {
		return 0
	}
	for _, path := range g.paths {
		_ = filepath.WalkDir(path, func(_ string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				if info, _ := e.Info(); info != nil { // it may be gone
					bytes += info.Size()
				}
			}
			return nil
		})
	}
	return bytes
}

// output is what was made in the folder of outputs, or all of it where there is nothing else, and what is said where nothing of it goes.
func output(o outputs) (goes []going, notes []string, err error) {
	at := filepath.Join(o.w.Root, workspace.OutputDir)
	if st, err := os.Lstat(at); err != nil || !st.IsDir() {
		//lint:ignore nilerr it is a link, or there is none
		return whole(o.w.Root, workspace.OutputDir), nil, nil
	}
	entries, err := os.ReadDir(at)
	if err != nil {
		return nil, nil, err
	}
	made, stay := o.split(entries)
	if len(stay) == 0 {
		return whole(o.w.Root, workspace.OutputDir), nil, nil
	}
	if len(made) == 0 {
		return nil, []string{fmt.Sprintf("nothing in %s was made here, and it stays: %s", workspace.OutputDir, operr.Some(stay))}, nil
	}
	g := going{
		what:  strings.Join(made, ", ") + " in " + workspace.OutputDir,
		stays: "; what was not made here stays: " + operr.Some(stay),
	}
	if list := provenance.MadeFile; !o.isTracked(path.Join(workspace.OutputDir, list)) {
		made = append(slices.Clone(made), list)
	}
	for _, name := range made {
		g.paths = append(g.paths, filepath.Join(at, name))
	}
	return []going{g}, nil, nil
}

// emptied are the folders that clean removes, from the root, beside what is in that of outputs.
func emptied(w *workspace.Workspace) []string {
	all := []string{filepath.Join(manifest.PixiDir, "embedded"), filepath.Join(manifest.PixiDir, "overlay")}
	for _, d := range w.Downstreams {
		all = append(all, filepath.Join(d.Dir, manifest.PixiDir, "embedded"))
	}
	return all
}

// whole is a folder, or the link that is there for it; nil where there is none.
func whole(root, dir string) []going {
	at := filepath.Join(root, dir)
	if leads, err := os.Readlink(at); err == nil {
		return []going{{
			paths: []string{at},
			what:  dir + ", a link",
			stays: "; what is in " + leads + " stays",
			link:  true,
		}}
	}
	held, err := os.ReadDir(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// Where it cannot be read its removal says why.
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
