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

// Store applies plans in a work tree. It saves a journal and the plan in a folder of the clone, so that the next run can recover from a kill.
type Store struct {
	Top    string // top of the work tree; paths in the journal are relative to it
	Prefix string // workspace root relative to Top, with slashes; "" for Top itself
	Dir    string // folder that is never committed, such as one in .git
}

const (
	journalName = "bump.journal" // journal of atomicfile.ReplaceAll
	pendingName = "bump.json"    // the applied plan, until it is committed and tagged
)

func (s *Store) journal() string { return filepath.Join(s.Dir, journalName) }

func (s *Store) path(name string) string {
	return filepath.Join(s.Top, filepath.FromSlash(path.Join(s.Prefix, name)))
}

// Recover reverts the changes of a run that was killed while it changed files. It returns a message about that, or "" if there was nothing to revert.
// It must be called before the workspace is loaded. Files that were edited since are not changed, and are an error, because the user must check them.
func (s *Store) Recover() (said string, err error) {
	undone, err := atomicfile.Undo(s.Top, s.journal())
	switch {
	case errors.Is(err, atomicfile.ErrBusy):
		return "", operr.New("wait until the other run has ended", "another run is changing versions in this workspace: %w", err)
	case err != nil:
		return "", operr.New("look at the journal "+s.journal()+", which has the old contents of the files", "a run was killed while it changed files, and its changes could not be reverted: %w", err)
	case undone.Files == 0:
		return "", nil
	case len(undone.Foreign) > 0:
		return "", operr.New("look at `git diff`, then run the command again", "a run was killed while it changed %s: restored %s, but not the files that were edited since",
			operr.Count(undone.Files, "file"), operr.Count(len(undone.Changed), "file")).WithDetail(strings.Join(undone.Foreign, "\n"))
	}
	return fmt.Sprintf("a run was killed while it changed %s: all of its changes are reverted", operr.Count(undone.Files, "file")), nil
}

// Applied is a plan that was applied and can be reverted.
type Applied struct {
	Plan  *Plan
	store *Store
	old   []atomicfile.Change
}

// Apply changes all files of a plan, or none. It returns an error if a file changed after the plan was made.
func (s *Store) Apply(ctx context.Context, plan *Plan) (*Applied, error) {
	return s.apply(ctx, plan, atomicfile.ReplaceAll)
}

// apply is like Apply. `replace` is one of atomicfile's functions.
func (s *Store) apply(ctx context.Context, plan *Plan, replace func(root, journal string, changes []atomicfile.Change) error) (*Applied, error) {
	changes, err := s.changes(plan)
	if err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err // after this point, completing the bump is faster than reverting it
	}
	if err := replace(s.Top, s.journal(), changes); err != nil {
		return nil, explainUnwritten(err)
	}
	return &Applied{Plan: plan, store: s, old: changes}, nil
}

func explainUnwritten(err error) *operr.Error {
	switch {
	case errors.Is(err, atomicfile.ErrChanged):
		return operr.New("make the plan again", "a file changed after the plan was made; nothing was written: %w", err)
	case errors.Is(err, atomicfile.ErrReadOnly):
		return operr.New("make the file and its folder writable", "nothing was changed: %w", err)
	case errors.Is(err, atomicfile.ErrBusy):
		return operr.New("wait until the other run has ended", "another run is changing versions in this workspace: %w", err)
	}
	return operr.New("fix the cause, then run the command again", "the files could not be changed, and have their old contents: %w", err)
}

// changes computes the new content of each file from its current content.
func (s *Store) changes(plan *Plan) ([]atomicfile.Change, error) {
	var out []atomicfile.Change
	for _, f := range plan.Files {
		src, err := beneath.Read(s.path(f.Path))
		if errors.Is(err, fs.ErrNotExist) && f.Before == "" {
			src, err = nil, nil
		}
		if err != nil {
			return nil, operr.New("make the plan again", "reading %s: %w", f.Path, err)
		}
		if (f.Before == "") != (src == nil) || src != nil && edits.Digest(src) != f.Before {
			return nil, operr.New("make the plan again", "the plan is stale: %s changed after the plan was made", f.Path)
		}
		after, err := f.Apply(src)
		if err != nil || edits.Digest(after) != f.After {
			return nil, operr.New("make the plan again", "the plan is damaged: its edits of %s do not result in the digest that the plan has", f.Path)
		}
		out = append(out, atomicfile.Change{Path: path.Join(s.Prefix, f.Path), Old: src, New: after})
	}
	return out, nil
}

// Revert restores the old contents, even if a hook has modified the new contents.
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
