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

// packing are the tables of a pyproject.toml in which a path names code or data that goes into a package. Those of tools that make
// versions are not among them: a `root = ".."` there is the repository's. Nor are a readme and licenses: what they say is not
// a reason for another version.
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

// Outside are the files and folders out of a package's folders that its pyproject.toml packs by their path: by one that begins
// with "../". They are relative to the root. project is nil where there is no pyproject.toml.
func Outside(root string, project *manifest.File) (all []string) {
	if project == nil {
		return nil
	}
	add := func(text string) {
		if text != ".." && !strings.HasPrefix(text, "../") {
			return
		}
		if i := strings.IndexAny(text, "*?["); i >= 0 { // the folder that a pattern looks through
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

// eachText calls f with every string in a node, and with every key that may be a path.
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
