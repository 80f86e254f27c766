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

// outward is a link in the sources of a package that leads out of the clone: what is there is on this machine alone.
type outward struct {
	of    *workspace.Package
	name  string // its path from the workspace's root, as a build comes to it
	leads string // where it ends
}

// findOutward finds the links by which a build may come out of the clone, be there something or not. A link that leads nowhere does not
// count in the end: who builds says so.
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

// there reports whether something is where the link leads, once it was built: a build may see what was not there before. What the kernel shows
// is there for whoever asks.
func (l outward) there() bool {
	for _, dir := range []string{"/proc/", "/dev/", "/sys/"} {
		if strings.HasPrefix(l.leads, dir) {
			return true
		}
	}
	_, err := os.Lstat(l.leads)
	return err == nil
}

// search goes through folders of a clone, by links too, as long as they stay in it.
type search struct {
	top   string
	seen  map[[2]string]bool // by where they are, and what they are called
	found []outward
}

// look looks at a path that may be a link.
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

// folder looks at what is in a folder, given by its real path. What cannot be read there, no build reads.
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

// isMetadata reports whether an archive has a file of that name among the licenses, or in what a wheel says of itself, however old the tool
// is that has put it there.
func isMetadata(archives []string, base string) (bool, error) {
	return anyFile(archives, func(f string) bool {
		of := strings.HasPrefix(f, "info/licenses/") || strings.Contains(f, ".dist-info/") || strings.Contains("/"+f, "/licenses/")
		return of && path.Base(f) == base
	})
}

// fromOutside refuses a package of a commit that has packed what a link has brought from outside of the clone. Of the work tree it
// is said.
func (b *build) fromOutside(archives []string) error {
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
			return operr.New("commit what is to be packed in place of the link, or keep it out of the package",
				"%s is built with what is at %s on this machine: %s is a link that leads there, and a package is made of what is committed", l.of.Name, l.leads, l.name)
		}
		if packed {
			b.beyond.add(l.leads)
		}
		if packed && b.Tell != nil {
			b.Tell("%s has what is at %s: %s is a link that leads there; release and publish refuse that", l.of.Name, l.leads, l.name)
		}
	}
	return nil
}
