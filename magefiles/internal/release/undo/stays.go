package undo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Stays describes what remains of a release in a branch's history after an undo has removed the tags.
type Stays struct {
	Branch   string `json:"branch"`
	Commit   string `json:"commit"`             // release commit, or the commit that already had its versions
	Reverted string `json:"reverted,omitempty"` // commit that reverts Commit, or ""
	Versions bool   `json:"versions"`           // whether the branch still has the release's versions
	Unpushed string `json:"unpushed,omitempty"` // name of a remote that has Commit but not Reverted, or "" if it has both or was not queried
	Unknown  string `json:"unknown,omitempty"`  // why it is unknown whether the remote has Reverted, or ""

	away bool // Branch is not checked out, so Reverted was not looked for
}

// FindStays finds what remains of an undone release on the branch where it was made; nil if nothing does. It looks for a reverting commit only if
// that branch is checked out. `within` limits how long it waits for the remote.
func FindStays(ctx context.Context, t *trace.Trace, past *trace.Past, within time.Duration) (*Stays, error) {
	t = t.Of(past)
	s := &Stays{Branch: t.Plan.Branch, Commit: past.Commit()}
	if t.Plan.Bump.Empty() {
		s.Commit = t.Plan.Base
	}
	head, err := t.Repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	at := head.Commit
	if head.Branch != s.Branch {
		switch at, err = t.Repo.Resolve(ctx, "refs/heads/"+s.Branch); {
		case errors.Is(err, gitrepo.ErrNoCommit):
			return nil, nil
		case err != nil:
			return nil, err
		}
	}
	if has, err := t.Repo.Contains(ctx, at, s.Commit); !has || err != nil {
		return nil, err
	}
	w, err := t.Store.At(ctx, t.Repo, at)
	if err != nil {
		return nil, err
	}
	s.Versions = w != nil && hasVersions(w, t.Plan)
	if t.Plan.Bump.Empty() {
		if !s.Versions {
			return nil, nil // the branch has other versions
		}
		return s, nil
	}
	if s.away = head.Branch != s.Branch; s.away {
		return s, nil
	}
	if s.Reverted, err = findReverting(ctx, t.Repo, s.Commit); err != nil {
		return nil, err
	}
	if s.Reverted != "" && !s.Versions {
		err = s.findUnpushed(ctx, t, within)
	}
	return s, err
}

// hasVersions reports whether all packages that the release releases have its versions in a workspace.
func hasVersions(w *workspace.Workspace, p *plan.Plan) bool {
	return !slices.ContainsFunc(p.Packages, func(pkg plan.Package) bool {
		if !p.Releases(pkg.Name) {
			return false
		}
		has, err := w.Package(pkg.Name)
		return err != nil || !version.Same(has.Version.Text, pkg.Version)
	})
}

// findUnpushed finds out whether the remote has the release commit but not its revert. If the remote cannot be queried, it sets Unknown. It returns
// an error only if ctx has ended.
func (s *Stays) findUnpushed(ctx context.Context, t *trace.Trace, within time.Duration) error {
	asking, stop := context.WithTimeoutCause(ctx, within, fmt.Errorf("the remote did not answer within %s", columns.Took(within)))
	defer stop()
	refs, err := gitremote.Read(asking, t.Repo, t.Plan.Remote)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	at := refs.Branches[s.Branch]
	if err == nil && at != "" {
		var has, back bool
		if has, err = t.Repo.Contains(ctx, at, s.Commit); has && err == nil {
			back, err = t.Repo.Contains(ctx, at, s.Reverted)
		}
		if has && !back && err == nil {
			s.Unpushed = t.Plan.Remote
		}
	}
	if err != nil {
		s.Unknown = fmt.Sprintf("it is not known whether %s has the revert, too: %s", t.Plan.Remote, err)
	}
	return nil
}

// String returns a sentence for display.
func (s *Stays) String() string {
	if s == nil {
		return "nothing of it is left in this clone"
	}
	if s.Unknown != "" {
		known := *s
		known.Unknown = ""
		return known.String() + "; " + s.Unknown
	}
	switch {
	case s.Reverted != "" && s.Versions:
		return fmt.Sprintf("its tags are gone; %s has its versions again, although the commit %.12s was reverted by %.12s", s.Branch, s.Commit, s.Reverted)
	case s.Reverted != "":
		return fmt.Sprintf("its tags are gone, and %s has the earlier versions again; the commit %.12s and its revert %.12s stay in the history", s.Branch, s.Commit, s.Reverted)
	case s.Versions:
		return fmt.Sprintf("its tags are gone, and %s still has its versions (commit %.12s)", s.Branch, s.Commit)
	}
	return fmt.Sprintf("its tags are gone, and so are its versions; the commit %.12s stays in the history of %s", s.Commit, s.Branch)
}

// Next returns the next step, or "" if there is nothing to do.
func (s *Stays) Next() string {
	switch {
	case s == nil:
		return ""
	case s.away:
		return "run `git switch " + operr.Word(s.Branch) + "`, and then `mage status` to see the next step"
	case s.Unpushed == "":
		return ""
	}
	return "run `git push " + operr.Words([]string{s.Unpushed, s.Branch}) + "` to undo the commit on the remote, too"
}
