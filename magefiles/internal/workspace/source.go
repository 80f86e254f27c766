package workspace

import (
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// The files that may hold a manifest, in the order in which one shadows the next of the same directory.
const (
	pixiFile      = PixiFile
	pyprojectFile = PyprojectFile
	mojoFile      = "mojoproject.toml"
)

var manifestFiles = [...]string{pixiFile, pyprojectFile, mojoFile}

// source is one parsed file. While it is read, the first problem is kept and reading goes on with what there is; Load
// returns it in the end. So readers return values, not errors.
type source struct {
	doc     *tomledit.Document
	file    string         // relative to the root, symlinks resolved
	dir     string         // the folder that the manifest is one of, relative to the root: where its paths start
	pixi    *tomledit.Node // the table that pixi reads: the root, or [tool.pixi] of a pyproject.toml; may be nil
	prefix  []string       // the keys that lead to it
	linked  bool           // the file is behind a symlink
	problem error
}

// newSource tells where in a file pixi's tables stand.
func newSource(doc *tomledit.Document, dir string, pyproject bool) *source {
	s := &source{doc: doc, file: doc.Name, dir: dir, pixi: doc.Root}
	if pyproject {
		s.prefix = []string{"tool", "pixi"}
		s.pixi = doc.Root.Get(s.prefix...)
	}
	return s
}

// workspace returns the [workspace] table, or the [project] table that older manifests of pixi have in its place, and its key.
func (s *source) workspace() (*tomledit.Node, string) {
	if n := s.pixi.Get("workspace"); n != nil {
		return n, "workspace"
	}
	return s.pixi.Get("project"), "project"
}

func (s *source) isWorkspace() bool { n, _ := s.workspace(); return n != nil }

func (s *source) isPackage() bool { return s.pixi.Has("package") }

// table names a table below pixi's as its header would in this file.
func (s *source) table(keys ...string) string {
	return tomledit.JoinKey(slices.Concat(s.prefix, keys)...)
}

// pos is where a node stands; the file alone for nil.
func (s *source) pos(n *tomledit.Node) Pos {
	if n == nil {
		return Pos{File: s.file}
	}
	return Pos{File: s.file, Line: n.Line, Col: n.Column}
}

// valuePos is where a node's value stands, whether it has a key or not.
func (s *source) valuePos(n *tomledit.Node) Pos {
	if n == nil || n.End == 0 {
		return s.pos(n)
	}
	line, col := s.doc.Position(n.Start)
	return Pos{File: s.file, Line: line, Col: col}
}

// fail keeps the first problem of the file: a sentence after the place of n, and what to do next.
func (s *source) fail(n *tomledit.Node, next, format string, args ...any) {
	if s.problem == nil {
		s.problem = failAt(s.valuePos(n), next, format, args...)
	}
}

func failAt(pos Pos, next, format string, args ...any) error {
	return operr.New(next, "%s: "+format, append([]any{pos}, args...)...)
}

// str reads a string; nil is "", and another type a problem.
func (s *source) str(n *tomledit.Node) string {
	if n == nil || s.want(n, tomledit.String) {
		return n.Text()
	}
	return ""
}

// strs reads an array of strings; nil stays nil.
func (s *source) strs(n *tomledit.Node) []string {
	if n == nil || !s.want(n, tomledit.Array) {
		return nil
	}
	out := make([]string, 0, len(n.Children))
	for _, e := range n.Children {
		out = append(out, s.str(e))
	}
	return out
}

func (s *source) boolean(n *tomledit.Node) bool {
	return n != nil && s.want(n, tomledit.Bool) && n.True()
}

// pairs reads a table of strings in the order of the source.
func (s *source) pairs(n *tomledit.Node) []KeyValue {
	if n == nil || !s.want(n, tomledit.Table) {
		return nil
	}
	out := make([]KeyValue, 0, len(n.Children))
	for _, e := range n.Children {
		out = append(out, KeyValue{Key: e.Key, Value: s.str(e)})
	}
	return out
}

// want reports whether n is of kind k; a node of another kind is a problem.
func (s *source) want(n *tomledit.Node, k tomledit.Kind) bool {
	if !n.Is(k) && n != nil {
		what := "an element of the list"
		if n.Key != "" {
			what = tomledit.JoinKey(n.Key)
		}
		s.fail(n, "correct the value", "%s must be %s, and is %s", what, k, n.Kind)
	}
	return n.Is(k)
}

// resolvePath returns a path that is written in this manifest relative to the root: "packages/core".
func (s *source) resolvePath(p string) string { return path.Join(s.dir, p) }

// problemAt is fail for a place that is known already.
func (s *source) problemAt(pos Pos, next, format string, args ...any) {
	if s.problem == nil {
		s.problem = failAt(pos, next, format, args...)
	}
}
