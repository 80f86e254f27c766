package bump

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// editor collects the edits of a workspace's files.
type editor struct {
	docs  map[string]*tomledit.Document
	src   map[string][]byte // every file that was read, by name
	edits map[string][]Edit
}

func newEditor(w *workspace.Workspace) *editor {
	e := &editor{docs: map[string]*tomledit.Document{}, src: map[string][]byte{}, edits: map[string][]Edit{}}
	for _, d := range w.Files {
		e.docs[d.Name] = d
	}
	for name, src := range sources(w) {
		e.src[name] = src
	}
	return e
}

// version edits one place of a package's version.
func (e *editor) version(v workspace.Version, text, what string) error {
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

// spec edits a part of a requirement's version: old, the last one in it, becomes text.
func (e *editor) spec(r workspace.Requirement, old, text, what string) error {
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
func (e *editor) splice(file string, s tomledit.Splice, what string) {
	if slices.ContainsFunc(e.edits[file], func(have Edit) bool { return have.At == s.Start }) {
		return
	}
	e.edits[file] = append(e.edits[file], newEdit(e.src[file], s, what))
}

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

// files returns the edited files, by name, and checks that each can be edited so.
func (e *editor) files() ([]File, error) {
	var out []File
	for name, edits := range e.edits {
		slices.SortFunc(edits, func(a, b Edit) int { return a.At - b.At })
		f := File{Path: name, Edits: edits}
		if src, there := e.src[name]; there {
			f.Before = digest(src)
		}
		after, err := f.edit(e.src[name])
		if err != nil {
			return nil, err
		}
		f.After = digest(after)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// edit returns the file's contents after its edits.
func (f *File) edit(src []byte) ([]byte, error) {
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
