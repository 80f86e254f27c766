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

// refuseNamedOutside returns an error before a build if a manifest refers to a file outside the clone, through ".." or a symlink. Its contents
// would end up in the package under another name or in its metadata, where no later check can detect them.
func (b *build) refuseNamedOutside() error {
	for _, p := range b.packages {
		for _, n := range p.NamedFiles() {
			if at := b.leadsElsewhere(n); at != "" {
				return operr.New("put the file into the repository, and write its new path into the manifest",
					"%s: %s cannot be built with %q, because that path leads out of the repository to %q, and files from outside would be published", n.Pos, p.Name, n.Path, at)
			}
		}
	}
	return b.refuseOutwardLinks()
}

// leadsElsewhere returns the location of a named file if it is outside the clone, or "". For a pattern, it checks all matches and the folder in
// which the pattern starts.
func (b *build) leadsElsewhere(n named.File) string {
	const slash = string(filepath.Separator)
	name := filepath.FromSlash(n.Path) // not cleaned: ".." after a symlink is not the textual parent
	if !filepath.IsAbs(name) {
		name = filepath.Join(b.root, filepath.FromSlash(n.Dir)) + slash + name
	}
	files := []string{name}
	if i := strings.IndexAny(n.Path, "*?["); i >= 0 {
		begin := len(name) - len(n.Path) + i
		files[0] = name[:strings.LastIndex(name[:begin], slash)+1]
		matched, _ := filepath.Glob(name) // an invalid pattern matches nothing
		files = append(files, matched...)
	}
	for _, file := range files {
		if at, inside := beneath.Leads(b.clone, file); !inside {
			return at
		}
	}
	return ""
}

// setups lists other files that configure setuptools, next to a pyproject.toml.
var setups = []string{setupConfig, "setup.py"}

const setupConfig = "setup.cfg"

// refuseOutwardLinks returns an error if a setup.cfg or setup.py refers to a symlink to a file outside the clone, such as a readme.
func (b *build) refuseOutwardLinks() error {
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
				return operr.New("replace the link by the file itself", "%s cannot be built, because %s names the link %s, which leads out of the repository to %s, and files from outside would be published",
					l.of.Name, path.Join(dir, name), l.name, l.leads)
			}
		}
	}
	return nil
}
