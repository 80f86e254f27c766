// Package edits collects edits to a workspace's files. An edit replaces a version, a part of a requirement, or a piece of another file. The package
// knows where an edit is made, but not why.
package edits

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// File is a file with edits.
type File struct {
	Path   string `json:"path"`   // relative to the workspace root, with slashes
	Before string `json:"before"` // hex SHA-256; "" for a new file
	After  string `json:"after"`
	Edits  []Edit `json:"edits"` // sorted by offset
}

// Edit replaces some bytes of a file.
type Edit struct {
	Line int    `json:"line"`   // starts at 1
	Col  int    `json:"column"` // in bytes, starts at 1
	At   int    `json:"at"`     // byte offset
	Old  string `json:"old"`
	New  string `json:"new"`
	Text string `json:"text"` // the lines before the edit
	What string `json:"what"` // such as "version of core" or "pin on core"
}

// Editor collects edits to a workspace's files.
type Editor struct {
	docs  map[string]*tomledit.Document
	src   map[string][]byte // contents of all files that were read, keyed by name
	edits map[string][]Edit
}

// New returns an Editor for the files that a workspace was loaded from.
func New(w *workspace.Workspace) *Editor {
	e := &Editor{docs: map[string]*tomledit.Document{}, src: map[string][]byte{}, edits: map[string][]Edit{}}
	for _, d := range w.Files {
		e.docs[d.Name] = d
	}
	for name, src := range Sources(w) {
		e.src[name] = src
	}
	return e
}

// Version replaces a package's version at one location.
func (e *Editor) Version(v manifest.Version, text, what string) error {
	if v.Node == nil {
		e.splice(v.Pos.File, tomledit.Splice{Start: v.Start, Old: v.Text, New: text}, what)
		return nil
	}
	s, err := e.docs[v.Pos.File].SetText(v.Node, v.Start, v.Start+len(v.Text), text)
	if err != nil {
		return err
	}
	e.splice(v.Pos.File, s, what)
	return nil
}

// Spec replaces the last occurrence of `old` in a requirement with `text`.
func (e *Editor) Spec(r workspace.Requirement, old, text, what string) error {
	s := r.Dependency.Spec
	i := strings.LastIndex(s.Text, old)
	if i < 0 {
		return fmt.Errorf("%s: expected %s, found other text", r.Pos, old)
	}
	at := s.Offset + i
	if s.Node == nil {
		e.splice(r.File, tomledit.Splice{Start: at, Old: old, New: text}, what)
		return nil
	}
	splice, err := e.docs[r.File].SetText(s.Node, at, at+len(old), text)
	if err != nil {
		return err
	}
	e.splice(r.File, splice, what)
	return nil
}

// splice records an edit. An edit at the same offset as an existing one is dropped, because packages may share a location, such as one in a
// pyproject.toml.
func (e *Editor) splice(file string, s tomledit.Splice, what string) {
	if slices.ContainsFunc(e.edits[file], func(have Edit) bool { return have.At == s.Start }) {
		return
	}
	e.edits[file] = append(e.edits[file], newEdit(e.src[file], s, what))
}

// Write records an edit to a file that the workspace was not loaded from. `src` is its content, or nil for a new file.
func (e *Editor) Write(file string, src []byte, s tomledit.Splice, what string) {
	if src != nil {
		e.src[file] = src
	}
	e.splice(file, s, what)
}

// Source returns the original content of a file.
func (e *Editor) Source(file string) []byte { return e.src[file] }

// Empty reports whether there are no edits.
func (e *Editor) Empty() bool { return len(e.edits) == 0 }

// Has reports whether a file has edits.
func (e *Editor) Has(file string) bool { return len(e.edits[file]) > 0 }

// newEdit converts a splice to an Edit, and adds the line and column.
func newEdit(src []byte, s tomledit.Splice, what string) Edit {
	begin := bytes.LastIndexByte(src[:s.Start], '\n') + 1
	stop := len(src)
	if i := bytes.IndexByte(src[s.End():], '\n'); i >= 0 {
		stop = s.End() + i
	}
	return Edit{
		Line: 1 + bytes.Count(src[:begin], []byte{'\n'}),
		Col:  s.Start - begin + 1,
		At:   s.Start,
		Old:  s.Old,
		New:  s.New,
		Text: strings.TrimRight(string(src[begin:stop]), "\r"),
		What: what,
	}
}

// Files returns the edited files, sorted by name. It returns an error if the edits of a file cannot be applied.
func (e *Editor) Files() ([]File, error) {
	out := []File{}
	for name, edits := range e.edits {
		slices.SortFunc(edits, func(a, b Edit) int { return a.At - b.At })
		f := File{Path: name, Edits: edits}
		if src, there := e.src[name]; there {
			f.Before = Digest(src)
		}
		after, err := f.Apply(e.src[name])
		if err != nil {
			return nil, err
		}
		f.After = Digest(after)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// Apply applies the edits to src and returns the result.
func (f *File) Apply(src []byte) ([]byte, error) {
	splices := make([]tomledit.Splice, len(f.Edits))
	for i, e := range f.Edits {
		splices[i] = tomledit.Splice{Start: e.At, Old: e.Old, New: e.New}
	}
	out, err := tomledit.Splices(src, splices...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return out, nil
}

// Sources yields the name and content of every file that a workspace was loaded from.
func Sources(w *workspace.Workspace) func(yield func(string, []byte) bool) {
	return func(yield func(string, []byte) bool) {
		for _, d := range w.Files {
			if !yield(d.Name, d.Src) {
				return
			}
		}
		for _, t := range w.Texts {
			if !yield(t.Name, t.Src) {
				return
			}
		}
	}
}

// Digest returns the hex SHA-256 of data.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
