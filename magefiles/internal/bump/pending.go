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

// record is what is kept of a plan until it is committed and tagged. It is written before the first file is changed, and
// says nothing by itself: how far the run came is seen in the work tree.
type record struct {
	Plan *Plan  `json:"plan"` // without Read
	Base string `json:"base"` // the commit that it was made on; "" outside of git
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
		return operr.New("see to the cause; run it again", "nothing was changed: %w", err)
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

// Pending is a bump that an earlier run has begun and not ended.
type Pending struct {
	Plan   *Plan
	Commit string   // the commit, where there is one and only tags, or nothing but the last word, are missing
	Beside []string // other files that are changed, by their paths from the top of the work tree; none where there is a commit
}

// Fits reports whether a request asks for this very bump: by the same word, by the version that came of it, or by none.
func (p *Pending) Fits(req Request) bool {
	if req.To == "" {
		return true
	}
	return req.Only == p.Plan.Request.Only &&
		(strings.EqualFold(req.To, p.Plan.Request.To) || slices.ContainsFunc(p.Plan.Packages, func(m Move) bool { return m.New == req.To }))
}

// Pending looks for a bump that lies in the work tree uncommitted, or that was the last commit and never came to its end.
// It is one when every file is as its plan leaves it. An error names the other files that are changed beside one that is uncommitted.
func (s *Store) Pending(ctx context.Context, repo Repo) (*Pending, error) {
	p, err := s.Lying(ctx, repo)
	if p != nil && len(p.Beside) > 0 {
		return nil, operr.New("commit or undo these; then -commit takes the bump up", "the bump to %s lies in the work tree uncommitted, and other changes beside it", p.Plan.versions()).WithDetail(strings.Join(p.Beside, "\n"))
	}
	return p, err
}

// Lying is Pending for who leaves other files alone.
func (s *Store) Lying(ctx context.Context, repo Repo) (*Pending, error) {
	data, err := os.ReadFile(filepath.Join(s.Dir, pendingName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var kept record
	if err != nil || json.Unmarshal(data, &kept) != nil || kept.Plan == nil || kept.Plan.Format != planFormat || !s.holds(kept.Plan) {
		return nil, s.forget() // it was taken back, or overtaken
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

// TakeBack brings the files of a bump that lies in the work tree back to what is committed, and forgets it.
func (s *Store) TakeBack(ctx context.Context, p *Pending, repo interface {
	Restore(ctx context.Context, paths []string) error
},
) error {
	if err := repo.Restore(ctx, s.paths(p.Plan)); err != nil {
		return err
	}
	return s.forget()
}

// holds reports whether every file is as the plan leaves it.
func (s *Store) holds(plan *Plan) bool {
	for _, f := range plan.Files {
		data, err := beneath.Read(s.path(f.Path))
		if err != nil || edits.Digest(data) != f.After {
			return false
		}
	}
	return len(plan.Files) > 0
}

// PathOf is the path of a plan's file, relative to Top.
func (s *Store) PathOf(file string) string { return path.Join(s.Prefix, file) }

// paths are those of the plan's files, relative to Top.
func (s *Store) paths(plan *Plan) []string {
	out := make([]string, len(plan.Files))
	for i, f := range plan.Files {
		out[i] = s.PathOf(f.Path)
	}
	return out
}

// versions names where a plan leads, for a sentence.
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
