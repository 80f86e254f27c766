package sources

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace/named"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// namedInside refuses, before a build, files that manifests name and that are not in the clone: by a path that leads up, or by a link.
// What is read of them is in the package under another name, or in what it says of itself, where it is not found afterwards.
func (b *build) namedInside() error {
	for _, p := range b.packages {
		for _, n := range p.NamedFiles() {
			if at := b.leadsElsewhere(n); at != "" {
				return operr.New("put the file into the repository, and name it there",
					"%s: %s cannot be built with %q: it leads out of the repository, to %q, and what is there would be published", n.Pos, p.Name, n.Path, at)
			}
		}
	}
	return b.saidOfOutward()
}

// leadsElsewhere is where a named file is, if that is not in the clone; "" where it is. Of a pattern all that it matches counts, and the
// folder that it begins in.
func (b *build) leadsElsewhere(n named.File) string {
	const slash = string(filepath.Separator)
	name := filepath.FromSlash(n.Path) // not cleaned: one up from a link is elsewhere than it says
	if !filepath.IsAbs(name) {
		name = filepath.Join(b.root, filepath.FromSlash(n.Dir)) + slash + name
	}
	files := []string{name}
	if i := strings.IndexAny(n.Path, "*?["); i >= 0 {
		begin := len(name) - len(n.Path) + i
		files[0] = name[:strings.LastIndex(name[:begin], slash)+1]
		matched, _ := filepath.Glob(name) // a pattern that is malformed matches nothing
		files = append(files, matched...)
	}
	for _, file := range files {
		if at, inside := beneath.Leads(b.clone, file); !inside {
			return at
		}
	}
	return ""
}

// setups are the files beside a pyproject.toml by which setuptools is told what to read.
var setups = []string{setupConfig, "setup.py"}

const setupConfig = "setup.cfg"

// saidOfOutward refuses a link to a file out of the clone that a setup.cfg or setup.py speaks of: a readme, for instance.
func (b *build) saidOfOutward() error {
	for _, l := range b.leadsOut {
		if st, err := os.Stat(l.leads); err == nil && st.IsDir() {
			continue
		}
		dir := path.Clean(l.of.SourceDir)
		below := l.name
		if dir != "." {
			below = strings.TrimPrefix(l.name, dir+"/")
		}
		word := regexp.MustCompile(`(^|[^\w./-])(\./)?` + regexp.QuoteMeta(below) + `($|[^\w/-])`)
		for _, name := range setups {
			text, err := beneath.ReadFile(b.clone, filepath.Join(b.root, filepath.FromSlash(dir), name))
			if err == nil && word.Match(text) {
				return operr.New("put the file itself in place of the link", "%s cannot be built: %s names %s, a link that leads out of the repository, to %s, and what is there would be published",
					l.of.Name, path.Join(dir, name), l.name, l.leads)
			}
		}
	}
	return nil
}
