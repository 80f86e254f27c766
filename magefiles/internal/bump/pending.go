package bump

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/beneath"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// record saves a plan until it is committed and tagged. It is written before the first file is changed, so it does not prove that the plan was
// applied. Only the work tree shows that.
type record struct {
	Plan *Plan  `json:"plan"` // without the field Read
	Base string `json:"base"` // commit that the plan is based on; "" outside of git
}

func (s *Store) remember(plan *Plan, base string) error {
	kept := *plan
	kept.Read = nil
	data, err := json.Marshal(record{Plan: &kept, Base: base})
	if err == nil {
		err = os.MkdirAll(s.Dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.Dir, pendingName), data, 0o644)
	}
	if err != nil {
		return operr.New("fix the cause, then run the command again", "nothing was changed: %w", err)
	}
	return nil
}

func (s *Store) forget() error {
	err := os.Remove(filepath.Join(s.Dir, pendingName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Pending is an unfinished bump of an earlier run.
type Pending struct {
	Plan   *Plan
	Commit string   // commit of the bump, if it was made; then at most the tags are missing
	Beside []string // other changed files, relative to the top of the work tree; nil if there is a commit
}

// Fits reports whether a request matches the pending bump. The request's To must be empty, that of the bump, or one of the new versions.
func (p *Pending) Fits(req Request) bool {
	if req.To == "" {
		return true
	}
	return req.Only == p.Plan.Request.Only &&
		(strings.EqualFold(req.To, p.Plan.Request.To) || slices.ContainsFunc(p.Plan.Packages, func(m Move) bool { return m.New == req.To }))
}

// Pending finds a bump that is uncommitted in the work tree, or that is the last commit and was not completed. All files must match its plan. If
// there are other changes beside an uncommitted bump, it returns an error.
func (s *Store) Pending(ctx context.Context, repo Repo) (*Pending, error) {
	p, err := s.Lying(ctx, repo)
	if p != nil && len(p.Beside) > 0 {
		return nil, operr.New("commit or undo these other changes; then run the command again with -commit, which resumes the bump", "besides the uncommitted bump to %s, the work tree has other changes", p.Plan.versions()).WithDetail(strings.Join(p.Beside, "\n"))
	}
	return p, err
}

// Lying is like Pending, but allows other changes. It is for callers that do not touch other files.
func (s *Store) Lying(ctx context.Context, repo Repo) (*Pending, error) {
	data, err := os.ReadFile(filepath.Join(s.Dir, pendingName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var kept record
	if err != nil || json.Unmarshal(data, &kept) != nil || kept.Plan == nil || kept.Plan.Format != planFormat || !s.holds(kept.Plan) {
		return nil, s.forget() // the bump was reverted, or its files were changed since
	}
	changed, err := repo.Changed(ctx)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(changed), func(name string) bool { return slices.Contains(s.paths(kept.Plan), name) })
	if len(changed) > len(others) {
		return &Pending{Plan: kept.Plan, Beside: others}, nil
	}
	head, err := repo.Resolve(ctx, "HEAD")
	if err != nil {
		return nil, err
	}
	if parent, err := repo.Resolve(ctx, "HEAD^"); err != nil || parent != kept.Base {
		return nil, s.forget()
	}
	return &Pending{Plan: kept.Plan, Commit: head}, nil
}

// TakeBack restores the committed contents of the files of an uncommitted bump, and removes its record.
func (s *Store) TakeBack(ctx context.Context, p *Pending, repo interface {
	Restore(ctx context.Context, paths []string) error
},
) error {
	if err := repo.Restore(ctx, s.paths(p.Plan)); err != nil {
		return err
	}
	return s.forget()
}

// `holds` reports whether every file has the content that the plan gives it.
func (s *Store) holds(plan *Plan) bool {
	for _, f := range plan.Files {
		data, err := beneath.Read(s.path(f.Path))
		if err != nil || edits.Digest(data) != f.After {
			return false
		}
	}
	return len(plan.Files) > 0
}

// PathOf converts the path of a plan's file to a path relative to Top.
func (s *Store) PathOf(file string) string { return path.Join(s.Prefix, file) }

// paths returns the paths of the plan's files, relative to Top.
func (s *Store) paths(plan *Plan) []string {
	out := make([]string, len(plan.Files))
	for i, f := range plan.Files {
		out[i] = s.PathOf(f.Path)
	}
	return out
}

// versions returns a phrase that lists a plan's new versions.
func (p *Plan) versions() string {
	var out []string
	for _, m := range p.Packages {
		if !slices.Contains(out, m.New) {
			out = append(out, m.New)
		}
	}
	if len(out) > 3 {
		return strings.Join(out[:3], ", ") + ", …"
	}
	return strings.Join(out, ", ")
}
