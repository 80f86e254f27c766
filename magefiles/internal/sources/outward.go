package sources

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// outward is a symlink in a package's sources that points out of the clone, to something that exists only on this machine.
type outward struct {
	of    *workspace.Package
	name  string // path of the link relative to the workspace root, as seen by a build
	leads string // target of the link
}

// findOutward finds symlinks through which a build may leave the clone, whether or not their targets exist. Broken links are dropped later,
// because the builder itself reports them.
func (b *build) findOutward() error {
	top, err := filepath.EvalSymlinks(b.clone)
	if err != nil {
		return err
	}
	for _, p := range b.packages {
		s := search{top: top, seen: map[[2]string]bool{}}
		packed, _ := b.Workspace.Sources(p)
		for _, dir := range packed {
			s.look(dir, filepath.Join(b.root, filepath.FromSlash(dir)))
		}
		for i := range s.found {
			s.found[i].of = p
		}
		b.leadsOut = append(b.leadsOut, s.found...)
	}
	return nil
}

// The method `there` reports whether the link's target exists. It is called after the build, because the target may have been created during the
// build. Targets below /proc, /dev and /sys always count as existing.
func (l outward) there() bool {
	for _, dir := range []string{"/proc/", "/dev/", "/sys/"} {
		if strings.HasPrefix(l.leads, dir) {
			return true
		}
	}
	_, err := os.Lstat(l.leads)
	return err == nil
}

// search walks through folders of a clone, and follows symlinks that stay within it.
type search struct {
	top   string
	seen  map[[2]string]bool // visited folders, by real path and name
	found []outward
}

// look checks whether a path is a symlink that points out of the clone.
func (s *search) look(name, file string) {
	real, err := beneath.Follow(file)
	if err != nil {
		return
	}
	if rel, err := filepath.Rel(s.top, real); err != nil || !filepath.IsLocal(rel) {
		s.found = append(s.found, outward{name: name, leads: real})
		return
	}
	if st, err := os.Stat(real); err == nil && st.IsDir() {
		s.folder(name, real)
	}
}

// folder checks the contents of a folder, given by its real path. Unreadable folders are skipped, because builds cannot read them either.
func (s *search) folder(name, dir string) {
	if key := [2]string{dir, path.Base(name)}; !s.seen[key] {
		s.seen[key] = true
	} else {
		return
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		name, file := path.Join(name, e.Name()), filepath.Join(dir, e.Name())
		switch {
		case e.Name() == ".git":
		case e.IsDir():
			s.folder(name, file)
		case e.Type()&os.ModeSymlink != 0:
			s.look(name, file)
		}
	}
}

// isMetadata reports whether an archive has a file with this name among its licenses or in a wheel's metadata, in the layout of any tool version.
func isMetadata(archives []string, base string) (bool, error) {
	return anyFile(archives, func(f string) bool {
		of := strings.HasPrefix(f, "info/licenses/") || strings.Contains(f, ".dist-info/") || strings.Contains("/"+f, "/licenses/")
		return of && path.Base(f) == base
	})
}

// refusePackedOutside returns an error if a package of a commit contains a file that was reached through a symlink out of the clone. In a build
// of the work tree, it only prints a message.
func (b *build) refusePackedOutside(archives []string) error {
	for _, l := range b.leadsOut {
		if !l.there() {
			continue
		}
		packed, err := isPacked(archives, l.name, nil)
		if err == nil && !packed {
			packed, err = isMetadata(archives, path.Base(l.name))
		}
		if err != nil {
			return err
		}
		if packed && b.commit != nil {
			return operr.New("replace the link by the files, and commit them; or exclude the link from the package",
				"%s is built with files from %s on this machine, because %s is a link to that place, but a package must contain only committed files", l.of.Name, l.leads, l.name)
		}
		if packed {
			b.beyond.add(l.leads)
		}
		if packed && b.Tell != nil {
			b.Tell("%s contains files from %s, because %s is a link to that place; release and publish refuse this package", l.of.Name, l.leads, l.name)
		}
	}
	return nil
}
