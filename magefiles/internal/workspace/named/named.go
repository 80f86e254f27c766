package named

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// File is a file that a manifest refers to, and that becomes part of the package or of its metadata.
type File struct {
	Pos  manifest.Pos
	Dir  string // folder to which Path is relative, itself relative to the workspace root, with slashes
	Path string // path as written; may be absolute, a pattern, or begin with ".."
}

// Folder returns the path of the file relative to the root, or for a pattern the folder that it searches. It returns "" for an absolute
// path.
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

// `whole` lists the keys of a pyproject.toml below which every string is a file path or a pattern.
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

// sourcesOfHatch lists the tables of hatch whose keys are paths of files to be packed under another name.
var sourcesOfHatch = []string{"force-include", "shared-data", "shared-scripts", "extra-metadata"}

// Files returns the files that a package's manifest and pyproject.toml refer to and that the build reads, such as a readme and
// licenses. Files in source folders are not included. `said` is the manifest's metadata, and `project` is nil if there is no
// pyproject.toml.
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
	for _, keys := range packing { // strings with ".." are paths in these tables too
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
