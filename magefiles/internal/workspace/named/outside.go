package named

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// packing lists the tables of a pyproject.toml in which a path refers to code or data that is packed. It does not include the tables of
// tools that compute versions, where `root = ".."` points to the top of the repository, or the readme and licenses, because a change to
// these does not require a new version.
var packing = [][]string{
	{"tool", "setuptools"},
	{"tool", "hatch", "build"},
	{"tool", "hatch", "version", "path"},
	{"tool", "flit"},
	{"tool", "pdm", "build"},
	{"tool", "poetry", "packages"},
	{"tool", "poetry", "include"},
	{"tool", "uv", "build-backend"},
}

// FindOutside returns the files and folders outside a package's folders that its pyproject.toml packs by a path that begins with "../". They are
// relative to the root. `project` is nil if there is no pyproject.toml.
func FindOutside(root string, project *manifest.File) (all []string) {
	if project == nil {
		return nil
	}
	add := func(text string) {
		if text != ".." && !strings.HasPrefix(text, "../") {
			return
		}
		if i := strings.IndexAny(text, "*?["); i >= 0 { // keep the folder that the pattern searches
			text = path.Dir(text[:i] + "x")
		}
		file := project.ResolvePath(text)
		if file == ".." || strings.HasPrefix(file, "../") || slices.Contains(all, file) {
			return
		}
		if _, err := os.Lstat(filepath.Join(root, filepath.FromSlash(file))); err == nil {
			all = append(all, file)
		}
	}
	for _, keys := range packing {
		eachText(project.Doc.Root.Get(keys...), add)
	}
	slices.Sort(all)
	return all
}

// eachText calls f with every string in a node, and with every key, because a key may be a path.
func eachText(n *tomledit.Node, f func(string)) {
	if n == nil {
		return
	}
	f(n.Key)
	f(n.Text())
	for _, c := range n.Children {
		eachText(c, f)
	}
}
