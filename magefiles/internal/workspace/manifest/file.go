package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// The files that pixi reads a manifest from, and its own folder beside one.
const (
	PixiFile      = "pixi.toml"
	PyprojectFile = "pyproject.toml"
	PixiDir       = ".pixi"
)

// RecipeFile is rattler-build's.
const RecipeFile = "recipe.yaml"

// The backends whose packages say more than their manifests do: in a pyproject.toml, or in a recipe.
const (
	PythonBackend = "pixi-build-python"
	RecipeBackend = "pixi-build-rattler-build"
)

// FileNames are those of the files that may hold a manifest, in the order in which one shadows the next of the same directory.
var FileNames = [...]string{PixiFile, PyprojectFile, "mojoproject.toml"}

// File is one parsed file. While it is read, the first problem is kept, and reading goes on with what there is; whoever reads takes
// it in the end, by TakeProblem. So readers return values, not errors.
type File struct {
	Doc     *tomledit.Document
	Path    string         // relative to the root, symlinks resolved
	Dir     string         // the folder that the manifest is one of, relative to the root: where its paths start
	Pixi    *tomledit.Node // the table that pixi reads: the root, or [tool.pixi] of a pyproject.toml; may be nil
	prefix  []string       // the keys that lead to it
	problem error
}

// NewFile tells where in a file pixi's tables stand.
func NewFile(doc *tomledit.Document, dir string, pyproject bool) *File {
	s := &File{Doc: doc, Path: doc.Name, Dir: dir, Pixi: doc.Root}
	if pyproject {
		s.prefix = []string{"tool", "pixi"}
		s.Pixi = doc.Root.Get(s.prefix...)
	}
	return s
}

// workspace returns the [workspace] table, or the [project] table that older manifests of pixi have in its place, and its key.
func (s *File) workspace() (*tomledit.Node, string) {
	if n := s.Pixi.Get("workspace"); n != nil {
		return n, "workspace"
	}
	return s.Pixi.Get("project"), "project"
}

// IsWorkspace reports whether the file has a [workspace] table, or what older manifests have in its place.
func (s *File) IsWorkspace() bool { n, _ := s.workspace(); return n != nil }

// IsPackage reports whether the file has a [package] table.
func (s *File) IsPackage() bool { return s.Pixi.Has("package") }

// table names a table below pixi's as its header would in this file.
func (s *File) table(keys ...string) string {
	return tomledit.JoinKey(slices.Concat(s.prefix, keys)...)
}

// Pos is where a node stands; the file alone for nil.
func (s *File) Pos(n *tomledit.Node) Pos {
	if n == nil {
		return Pos{File: s.Path}
	}
	return Pos{File: s.Path, Line: n.Line, Col: n.Column}
}

// ValuePos is where a node's value stands, whether it has a key or not.
func (s *File) ValuePos(n *tomledit.Node) Pos {
	if n == nil || n.End == 0 {
		return s.Pos(n)
	}
	line, col := s.Doc.Position(n.Start)
	return Pos{File: s.Path, Line: line, Col: col}
}

// Fail keeps the first problem of the file: a sentence after the place of n, and what to do next.
func (s *File) Fail(n *tomledit.Node, next, format string, args ...any) {
	if s.problem == nil {
		s.problem = problemAt(s.ValuePos(n), next, format, args...)
	}
}

func problemAt(pos Pos, next, format string, args ...any) error {
	return operr.New(next, "%s: "+format, append([]any{pos}, args...)...)
}

// Str reads a string; nil is "", and another type a problem.
func (s *File) Str(n *tomledit.Node) string {
	if n == nil || s.Want(n, tomledit.String) {
		return n.Text()
	}
	return ""
}

// Strs reads an array of strings; nil stays nil.
func (s *File) Strs(n *tomledit.Node) []string {
	if n == nil || !s.Want(n, tomledit.Array) {
		return nil
	}
	out := make([]string, 0, len(n.Children))
	for _, e := range n.Children {
		out = append(out, s.Str(e))
	}
	return out
}

// Bool reads true or false; nil is false, and another type a problem.
func (s *File) Bool(n *tomledit.Node) bool {
	return n != nil && s.Want(n, tomledit.Bool) && n.True()
}

// pairs reads a table of strings in the order of the source.
func (s *File) pairs(n *tomledit.Node) []KeyValue {
	if n == nil || !s.Want(n, tomledit.Table) {
		return nil
	}
	out := make([]KeyValue, 0, len(n.Children))
	for _, e := range n.Children {
		out = append(out, KeyValue{Key: e.Key, Value: s.Str(e)})
	}
	return out
}

// Want reports whether n is of kind k; a node of another kind is a problem.
func (s *File) Want(n *tomledit.Node, k tomledit.Kind) bool {
	if !n.Is(k) && n != nil {
		what := "an element of the list"
		if n.Key != "" {
			what = tomledit.JoinKey(n.Key)
		}
		s.Fail(n, "correct the value", "%s must be %s, and is %s", what, k, n.Kind)
	}
	return n.Is(k)
}

// ResolvePath returns a path that is written in this manifest relative to the root: "packages/core".
func (s *File) ResolvePath(p string) string { return path.Join(s.Dir, p) }

// FailAt is Fail for a place that is known already.
func (s *File) FailAt(pos Pos, next, format string, args ...any) {
	if s.problem == nil {
		s.problem = problemAt(pos, next, format, args...)
	}
}

// TakeProblem returns the first problem of the file, once; nil where there is none.
func (s *File) TakeProblem() error {
	err := s.problem
	s.problem = nil
	return err
}

// Failed reports whether the file has a problem already.
func (s *File) Failed() bool { return s.problem != nil }

// NoOption refuses values that a program would take for an option: each is given to one.
func (s *File) NoOption(values ...*tomledit.Node) {
	for _, n := range values {
		if strings.HasPrefix(n.Text(), "-") {
			s.Fail(n, "give it another name", "%s cannot be %q: it begins with a dash, as options do", cmp.Or(n.Key, "a value"), n.Text())
		}
	}
}
