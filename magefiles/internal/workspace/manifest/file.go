package manifest

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// The files in which pixi looks for a manifest, and pixi's folder next to a manifest.
const (
	PixiFile      = "pixi.toml"
	PyprojectFile = "pyproject.toml"
	PixiDir       = ".pixi"
)

// RecipeFile is the name of rattler-build's recipe.
const RecipeFile = "recipe.yaml"

// The backends that also read other files: a pyproject.toml, or a recipe.
const (
	PythonBackend = "pixi-build-python"
	RecipeBackend = "pixi-build-rattler-build"
)

// FileNames lists the files that may contain a manifest, in order of precedence within a directory.
var FileNames = [...]string{PixiFile, PyprojectFile, "mojoproject.toml"}

// File is one parsed file. Its methods record the first problem and continue, so they return values without an error. At the end, the
// caller retrieves the problem with TakeProblem.
type File struct {
	Doc     *tomledit.Document
	Path    string         // relative to the root, symlinks resolved
	Dir     string         // folder of the manifest, relative to the root; paths in the manifest are relative to it
	Pixi    *tomledit.Node // the table that pixi reads: the root, or [tool.pixi] of a pyproject.toml; may be nil
	prefix  []string       // path of that table
	problem error
}

// NewFile returns a File. If pyproject is set, pixi's tables are below [tool.pixi].
func NewFile(doc *tomledit.Document, dir string, pyproject bool) *File {
	s := &File{Doc: doc, Path: doc.Name, Dir: dir, Pixi: doc.Root}
	if pyproject {
		s.prefix = []string{"tool", "pixi"}
		s.Pixi = doc.Root.Get(s.prefix...)
	}
	return s
}

// workspace returns the [workspace] table and its key. Older manifests call it [project].
func (s *File) workspace() (*tomledit.Node, string) {
	if n := s.Pixi.Get("workspace"); n != nil {
		return n, "workspace"
	}
	return s.Pixi.Get("project"), "project"
}

// IsWorkspace reports whether the file has a [workspace] table, or the older [project].
func (s *File) IsWorkspace() bool { n, _ := s.workspace(); return n != nil }

// IsPackage reports whether the file has a [package] table.
func (s *File) IsPackage() bool { return s.Pixi.Has("package") }

// table returns the full name of a table below pixi's, as in the table's header.
func (s *File) table(keys ...string) string {
	return tomledit.JoinKey(slices.Concat(s.prefix, keys)...)
}

// Pos returns the position of a node. If n is nil, it has only the file.
func (s *File) Pos(n *tomledit.Node) Pos {
	if n == nil {
		return Pos{File: s.Path}
	}
	return Pos{File: s.Path, Line: n.Line, Col: n.Column}
}

// ValuePos returns the position of a node's value, whether or not the node has a key.
func (s *File) ValuePos(n *tomledit.Node) Pos {
	if n == nil || n.End == 0 {
		return s.Pos(n)
	}
	line, col := s.Doc.Position(n.Start)
	return Pos{File: s.Path, Line: line, Col: col}
}

// Fail records a problem at n, with a next step, unless the file already has one.
func (s *File) Fail(n *tomledit.Node, next, format string, args ...any) {
	if s.problem == nil {
		s.problem = problemAt(s.ValuePos(n), next, format, args...)
	}
}

func problemAt(pos Pos, next, format string, args ...any) error {
	return operr.New(next, "%s: "+format, append([]any{pos}, args...)...)
}

// Str returns the value of a string node, or "" if n is nil. Other types are a problem.
func (s *File) Str(n *tomledit.Node) string {
	if n == nil || s.Want(n, tomledit.String) {
		return n.Text()
	}
	return ""
}

// Strs returns the elements of an array of strings, or nil if n is nil.
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

// Bool returns the value of a boolean node, or false if n is nil. Other types are a problem.
func (s *File) Bool(n *tomledit.Node) bool {
	return n != nil && s.Want(n, tomledit.Bool) && n.True()
}

// pairs reads a table of strings in source order.
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

// Want reports whether n is of kind k, and records a problem if it is not.
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

// ResolvePath converts a path in this manifest to one relative to the root, such as "packages/core".
func (s *File) ResolvePath(p string) string { return path.Join(s.Dir, p) }

// FailAt is like Fail, but takes a position.
func (s *File) FailAt(pos Pos, next, format string, args ...any) {
	if s.problem == nil {
		s.problem = problemAt(pos, next, format, args...)
	}
}

// TakeProblem returns the file's first problem, or nil if there is none, and clears it.
func (s *File) TakeProblem() error {
	err := s.problem
	s.problem = nil
	return err
}

// Failed reports whether a problem has been recorded.
func (s *File) Failed() bool { return s.problem != nil }

// NoOption rejects values that a program would parse as an option. The values are passed as command-line arguments.
func (s *File) NoOption(values ...*tomledit.Node) {
	for _, n := range values {
		if strings.HasPrefix(n.Text(), "-") {
			s.Fail(n, "write another value", "%s cannot be %q: it begins with a dash, as options do", cmp.Or(n.Key, "a value"), n.Text())
		}
	}
}
