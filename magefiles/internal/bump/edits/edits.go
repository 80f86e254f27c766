// Package edits collects what is to be written into the files of a workspace: a version at its place, a part of a requirement, or a piece
// of a file that is none of its manifests. It knows where in a file a change is, and not why it is made.
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

// File is a file that changes.
type File struct {
	Path   string `json:"path"`   // relative to the workspace's root, with slashes
	Before string `json:"before"` // hex sha256; "" for a file that is made
	After  string `json:"after"`
	Edits  []Edit `json:"edits"` // by offset
}

// Edit replaces bytes of a file.
type Edit struct {
	Line int    `json:"line"`   // from 1
	Col  int    `json:"column"` // in bytes, from 1
	At   int    `json:"at"`     // offset in bytes
	Old  string `json:"old"`
	New  string `json:"new"`
	Text string `json:"text"` // the lines that it is in, before
	What string `json:"what"` // "version of core", "pin on core"
}

// Editor collects the edits of a workspace's files.
type Editor struct {
	docs  map[string]*tomledit.Document
	src   map[string][]byte // every file that was read, by name
	edits map[string][]Edit
}

// New is an editor of the files that a workspace was read from.
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

// Version edits one place of a package's version.
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

// Spec edits a part of a requirement's version: old, the last one in it, becomes text.
func (e *Editor) Spec(r workspace.Requirement, old, text, what string) error {
	s := r.Dependency.Spec
	i := strings.LastIndex(s.Text, old)
	if i < 0 {
		return fmt.Errorf("%s: there is no %s to be changed", r.Pos, old)
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

// splice keeps an edit. What two packages share, such as a pyproject.toml, is edited once.
func (e *Editor) splice(file string, s tomledit.Splice, what string) {
	if slices.ContainsFunc(e.edits[file], func(have Edit) bool { return have.At == s.Start }) {
		return
	}
	e.edits[file] = append(e.edits[file], newEdit(e.src[file], s, what))
}

// Write edits a file that the workspace was not read from. src is what it holds; nil where it is made.
func (e *Editor) Write(file string, src []byte, s tomledit.Splice, what string) {
	if src != nil {
		e.src[file] = src
	}
	e.splice(file, s, what)
}

// Source is what a file of the workspace holds before it is edited.
func (e *Editor) Source(file string) []byte { return e.src[file] }

// Empty reports whether nothing is edited.
func (e *Editor) Empty() bool { return len(e.edits) == 0 }

// Has reports whether a file is edited.
func (e *Editor) Has(file string) bool { return len(e.edits[file]) > 0 }

// newEdit says where in a file a splice is.
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

// Files returns the edited files, by name, and checks that each can be edited so.
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

// Apply returns the file's contents after its edits.
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

// Sources yields every file that a workspace was read from.
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

// Digest is the hex sha256 of what a file holds.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
