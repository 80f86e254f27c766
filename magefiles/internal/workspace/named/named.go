package named

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// File is a file that a manifest names, and whose contents become a part of the package, or of what it says of itself.
type File struct {
	Pos  manifest.Pos
	Dir  string // of the folder that the path starts in, relative to the workspace's root, with slashes
	Path string // as it is written: it may be absolute, a pattern, or lead up
}

// Folder is the file that is named, or, where it is named by a pattern, the folder that the pattern looks through, relative to the root.
// "" is not in the repository.
func (n File) Folder() string {
	text := n.Path
	if path.IsAbs(text) {
		return ""
	}
	if i := strings.IndexAny(text, "*?["); i >= 0 {
		text = path.Dir(text[:i] + "x")
	}
	return path.Join(n.Dir, text)
}

// whole are the keys of a pyproject.toml below which every text is the path of a file, or a pattern of paths.
var whole = [][]string{
	{"project", "readme", "file"},
	{"project", "license", "file"},
	{"project", "license-files"},
	{"tool", "setuptools", "license-files"},
	{"tool", "setuptools", "license-file"},
	{"tool", "setuptools", "data-files"},
	{"tool", "poetry", "readme"},
	{"tool", "flit", "metadata", "description-file"},
	{"tool", "hatch", "version", "path"},
	{"tool", "pdm", "version", "path"},
	{"tool", "uv", "build-backend", "data"},
}

// sourcesOfHatch are the tables of hatch whose keys are paths of files that are packed by another name.
var sourcesOfHatch = []string{"force-include", "shared-data", "shared-scripts", "extra-metadata"}

// Files are what the manifest and the pyproject.toml of a package name to have it read: a readme and licenses, and all else. What a folder
// of code holds is not among them. said is what the manifest says of the package; project is nil where there is no pyproject.toml.
func Files(s, project *manifest.File, said manifest.Metadata) (all []File) {
	pkg := s.Pixi.Get("package")
	for key, text := range map[string]string{"license-file": said.LicenseFile, "readme": said.Readme} {
		if text != "" {
			all = append(all, File{Pos: s.Pos(pkg.Get(key)), Dir: s.Dir, Path: text})
		}
	}
	if project == nil {
		return all
	}
	root := project.Doc.Root
	add := func(n *tomledit.Node, text string) {
		if text != "" {
			all = append(all, File{Pos: project.Pos(n), Dir: project.Dir, Path: text})
		}
	}
	if readme := root.Get("project", "readme"); readme.Is(tomledit.String) {
		add(readme, readme.Text())
	}
	for _, keys := range whole {
		eachString(root.Get(keys...), add)
	}
	for _, field := range root.Get("tool", "setuptools", "dynamic").Members() {
		eachString(field.Get("file"), add)
	}
	if fragments := root.Get("tool", "hatch", "metadata", "hooks", "fancy-pypi-readme", "fragments"); fragments.Is(tomledit.Array) {
		for _, f := range fragments.Children {
			eachString(f.Get("path"), add)
		}
	}
	eachTable(root.Get("tool", "hatch", "build"), func(n *tomledit.Node) {
		for _, e := range n.Members() {
			if slices.Contains(sourcesOfHatch, n.Key) {
				add(e, e.Key)
			}
		}
	})
	for _, keys := range packing { // what only leads up here is a path, too
		eachString(root.Get(keys...), func(n *tomledit.Node, text string) {
			if !path.IsAbs(text) && slices.Contains(strings.Split(text, "/"), "..") {
				add(n, text)
			}
		})
	}
	return all
}

// eachString calls f with every string in a node.
func eachString(n *tomledit.Node, f func(*tomledit.Node, string)) {
	if n == nil {
		return
	}
	if n.Is(tomledit.String) {
		f(n, n.Text())
	}
	for _, c := range n.Children {
		eachString(c, f)
	}
}

// eachTable calls f with every table in a node.
func eachTable(n *tomledit.Node, f func(*tomledit.Node)) {
	if n == nil {
		return
	}
	if n.Is(tomledit.Table) {
		f(n)
	}
	for _, c := range n.Children {
		eachTable(c, f)
	}
}
