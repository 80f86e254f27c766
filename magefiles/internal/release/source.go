package release

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
)

// Tagged are the tags, in the clone or already on the remote.
type Tagged struct {
	Tags   []string `json:"tags"`
	Commit string   `json:"commit"`
}

func (t Tagged) String() string {
	return fmt.Sprintf("%s at %.12s", strings.Join(t.Tags, ", "), t.Commit)
}

// Pushed is what the remote has.
type Pushed struct {
	Remote string `json:"remote"`
	Branch string `json:"branch"`
	Commit string `json:"commit"`
}

func (p Pushed) String() string {
	return fmt.Sprintf("%s/%s and the tags at %.12s", p.Remote, p.Branch, p.Commit)
}

// isCommitted finds the commit of this release.
func (r *Release) isCommitted(ctx context.Context, _ *trace.Commit) (trace.Commit, bool, error) {
	return r.Trace().Committed(ctx)
}

// bumpAndCommit makes the one commit of the release, or takes up what a run that was killed has left of it.
func (r *Release) bumpAndCommit(ctx context.Context) (trace.Commit, error) {
	if r.plan.Bump.Empty() {
		return trace.Commit{}, operr.New("commit or undo what differs; run it again", "the manifests were at the versions of %s, and are not any more", r.plan.Title)
	}
	pending, err := r.Store.Pending(ctx, r.Repo)
	if err != nil {
		return trace.Commit{}, err
	}
	steps := bump.Parts{Commit: true}
	var done bump.Result
	if pending != nil && pending.Plan.Same(r.plan.Bump) {
		done, err = r.Store.TakeUp(ctx, pending, r.Repo, steps)
	} else {
		if err := r.Store.Preflight(ctx, r.plan.Bump, r.Repo, steps); err != nil {
			return trace.Commit{}, err
		}
		done, err = r.Store.Take(ctx, r.plan.Bump, r.Repo, steps)
	}
	return trace.Commit{Hash: done.Commit, Where: trace.Here}, err
}

func (r *Release) isTagged(ctx context.Context, _ *Tagged) (Tagged, bool, error) {
	commit := r.commit.Get()
	tagged := Tagged{Tags: r.plan.Tags, Commit: commit.Hash}
	if commit.Where != trace.Here {
		return tagged, true, nil
	}
	tags, err := r.Repo.Tags(ctx)
	if err != nil {
		return tagged, false, err
	}
	for _, t := range r.plan.Tags {
		at, ok := tags[t]
		if ok && at != commit.Hash {
			return tagged, false, operr.NewStopped("find out which is right; `git tag -d "+t+"` removes it", "the tag %s is at %.12s, and the release at %.12s", t, at, commit.Hash)
		}
		if !ok {
			return tagged, false, nil
		}
	}
	return tagged, true, nil
}

// tag makes the tags that are not there.
func (r *Release) tag(ctx context.Context) (Tagged, error) {
	commit := r.commit.Get().Hash
	tags, err := r.Repo.Tags(ctx)
	if err != nil {
		return Tagged{}, err
	}
	for _, t := range r.plan.Tags {
		if _, ok := tags[t]; ok {
			continue
		}
		if err := r.Repo.MakeTag(ctx, commit, gitrepo.Tag{Name: t, Message: r.plan.Bump.TagMessage(t), Date: r.tagTime()}); err != nil {
			return Tagged{}, err
		}
	}
	return Tagged{Tags: r.plan.Tags, Commit: commit}, nil
}

// tagTime returns the date of the tags that the builds have seen; zero where nothing was built.
func (r *Release) tagTime() time.Time {
	if !r.built.Known() {
		return time.Time{}
	}
	return r.built.Get().Tagged
}

func (r *Release) isPushed(ctx context.Context, _ *Pushed) (Pushed, bool, error) {
	refs, err := gitremote.Read(ctx, r.Repo, r.plan.Remote)
	if err != nil {
		return Pushed{}, false, err
	}
	at, err := r.Trace().Pushed(ctx, refs)
	if err != nil || at == "" {
		return Pushed{}, false, err
	}
	if at != r.commit.Get().Hash {
		return Pushed{}, false, operr.NewStopped("find out which is right", "%s has %s at %.12s, and the release is at %.12s", r.plan.Remote, r.plan.Title, at, r.commit.Get().Hash)
	}
	return Pushed{Remote: r.plan.Remote, Branch: r.plan.Branch, Commit: at}, true, nil
}

// push sends branch and tags, all or nothing.
func (r *Release) push(ctx context.Context) (Pushed, error) {
	p, commit := r.plan, r.commit.Get().Hash
	err := gitremote.Push(ctx, r.Repo, p.Remote, commit, p.Branch, p.Tags...)
	if err != nil {
		return Pushed{}, r.explainPush(ctx, err)
	}
	return Pushed{Remote: p.Remote, Branch: p.Branch, Commit: commit}, nil
}
