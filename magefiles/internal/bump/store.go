package bump

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Store is where plans are carried out: a work tree, and a folder of the clone for what must be known if a run is killed.
type Store struct {
	Top    string // the folder that all paths in Dir's files are relative to: the top of the work tree
	Prefix string // the workspace's root relative to it, with slashes; "" for itself
	Dir    string // a folder that is never committed, such as one in .git
}

const (
	journalName = "bump.journal" // of atomicfile.ReplaceAll
	pendingName = "bump.json"    // the plan that was applied, until it is committed and tagged
)

func (s *Store) journal() string { return filepath.Join(s.Dir, journalName) }

func (s *Store) path(name string) string {
	return filepath.Join(s.Top, filepath.FromSlash(path.Join(s.Prefix, name)))
}

// Recover takes back what a run has done that was killed while it changed files, and returns a sentence about it; "" where
// there is nothing to take back. It comes before the workspace is read. Files that were edited since are left alone, which
// is an error: a person has to look at them.
func (s *Store) Recover() (said string, err error) {
	undone, err := atomicfile.Undo(s.Top, s.journal())
	switch {
	case errors.Is(err, atomicfile.ErrBusy):
		return "", operr.New("wait until it is done", "another run is changing versions here: %w", err)
	case err != nil:
		return "", operr.New("look at "+s.journal()+", which has the old contents", "a run was killed while it changed files, and taking that back: %w", err)
	case undone.Files == 0:
		return "", nil
	case len(undone.Foreign) > 0:
		return "", operr.New("see `git diff`, and run it again", "a run was killed while it changed %s; %s back as they were, but these were edited since",
			operr.Count(undone.Files, "file"), operr.Count(len(undone.Changed), "file")).WithDetail(strings.Join(undone.Foreign, "\n"))
	}
	return fmt.Sprintf("a run was killed while it changed %s: taken back, nothing of it is left", operr.Count(undone.Files, "file")), nil
}

// Applied is a plan that was carried out, and can be taken back.
type Applied struct {
	Plan  *Plan
	store *Store
	old   []atomicfile.Change
}

// Apply changes the files, all or none. It refuses when one of them is not what the plan was made from.
func (s *Store) Apply(ctx context.Context, plan *Plan) (*Applied, error) {
	return s.apply(ctx, plan, atomicfile.ReplaceAll)
}

// apply is Apply by one of the functions of package atomicfile.
func (s *Store) apply(ctx context.Context, plan *Plan, replace func(root, journal string, changes []atomicfile.Change) error) (*Applied, error) {
	changes, err := s.changes(plan)
	if err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err // from here on it is faster to go on than to go back
	}
	if err := replace(s.Top, s.journal(), changes); err != nil {
		return nil, explainUnwritten(err)
	}
	return &Applied{Plan: plan, store: s, old: changes}, nil
}

func explainUnwritten(err error) *operr.Error {
	switch {
	case errors.Is(err, atomicfile.ErrChanged):
		return operr.New("make the plan anew", "a file is not what it was when the plan was made, and nothing was changed: %w", err)
	case errors.Is(err, atomicfile.ErrReadOnly):
		return operr.New("make it writable, or find out why it is not", "nothing was changed: %w", err)
	case errors.Is(err, atomicfile.ErrBusy):
		return operr.New("wait until it is done", "another run is changing versions here: %w", err)
	}
	return operr.New("see to the cause; run it again", "the files are as they were: %w", err)
}

// changes computes every file's new contents from those on the disk.
func (s *Store) changes(plan *Plan) ([]atomicfile.Change, error) {
	var out []atomicfile.Change
	for _, f := range plan.Files {
		src, err := beneath.Read(s.path(f.Path))
		if errors.Is(err, fs.ErrNotExist) && f.Before == "" {
			src, err = nil, nil
		}
		if err != nil {
			return nil, operr.New("make the plan anew", "reading %s: %w", f.Path, err)
		}
		if (f.Before == "") != (src == nil) || src != nil && edits.Digest(src) != f.Before {
			return nil, operr.New("make the plan anew", "the plan is stale: %s is not what it was when the plan was made", f.Path)
		}
		after, err := f.Apply(src)
		if err != nil || edits.Digest(after) != f.After {
			return nil, operr.New("make the plan anew", "the plan does not fit its own digests: %s", f.Path)
		}
		out = append(out, atomicfile.Change{Path: path.Join(s.Prefix, f.Path), Old: src, New: after})
	}
	return out, nil
}

// Revert brings the old contents back, whatever a hook has made of the new ones since.
func (a *Applied) Revert() error {
	var back []atomicfile.Change
	for _, c := range slices.Backward(a.old) {
		now, err := beneath.Read(filepath.Join(a.store.Top, filepath.FromSlash(c.Path)))
		if errors.Is(err, fs.ErrNotExist) {
			now, err = nil, nil
		} else if err == nil && now == nil {
			now = []byte{}
		}
		if err != nil {
			return err
		}
		back = append(back, atomicfile.Change{Path: c.Path, Old: now, New: c.Old})
	}
	if err := atomicfile.ReplaceAll(a.store.Top, a.store.journal(), back); err != nil {
		return err
	}
	return a.store.forget()
}
