package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Tagged lists the release's tags, which are in the clone or already on the remote.
type Tagged struct {
	Tags   []string `json:"tags"`
	Commit string   `json:"commit"`
}

func (t Tagged) String() string {
	return fmt.Sprintf("%s at %.12s", strings.Join(t.Tags, ", "), t.Commit)
}

// Pushed describes what was pushed.
type Pushed struct {
	Remote string `json:"remote"`
	Branch string `json:"branch"` // "" if only tags were pushed because a pull request had landed the commit
	Commit string `json:"commit"`
}

// pushedOf returns the result of pushing a release.
func pushedOf(p *plan.Plan, commit string) Pushed {
	if p.Landed {
		return Pushed{Remote: p.Remote, Commit: commit}
	}
	return Pushed{Remote: p.Remote, Branch: p.Branch, Commit: commit}
}

func (p Pushed) String() string {
	if p.Branch == "" {
		return fmt.Sprintf("the tags at %.12s, to %s", p.Commit, p.Remote)
	}
	return fmt.Sprintf("%s/%s and the tags at %.12s", p.Remote, p.Branch, p.Commit)
}

// defineCommit defines the step that makes the release commit. Its Check finds the commit in the clone or on the remote.
func (r *Release) defineCommit(find *finder, planned given[*plan.Plan]) workflow.Step[trace.Commit] {
	return workflow.Step[trace.Commit]{
		Name: trace.StepCommit,
		Check: func(ctx context.Context, _ *trace.Commit) (trace.Commit, bool, error) {
			return find.trace().FindOwnCommit(ctx)
		},
		Do:    func(ctx context.Context) (trace.Commit, error) { return r.bumpAndCommit(ctx, planned.Get()) },
		Say:   trace.Commit.String,
		Whole: true,
	}
}

// bumpAndCommit makes the release commit, or completes one that a killed run left unfinished.
func (r *Release) bumpAndCommit(ctx context.Context, p *plan.Plan) (trace.Commit, error) {
	if p.Bump.Empty() {
		return trace.Commit{}, operr.New("commit or undo your changes of the manifests, and run this command again", "the manifests no longer have the versions of %s", p.Title)
	}
	pending, err := r.Store.Pending(ctx, r.Repo)
	if err != nil {
		return trace.Commit{}, err
	}
	steps := bump.Parts{Commit: true}
	var done bump.Result
	if pending != nil && pending.Plan.Same(p.Bump) {
		done, err = r.Store.TakeUp(ctx, pending, r.Repo, steps)
	} else {
		if err := r.Store.Preflight(ctx, p.Bump, r.Repo, steps); err != nil {
			return trace.Commit{}, err
		}
		done, err = r.Store.Take(ctx, p.Bump, r.Repo, steps)
	}
	return trace.Commit{Hash: done.Commit, Where: trace.Here}, err
}

// defineTag defines the step that creates the tags. If artifacts were built, the tags get the date that the builds saw.
func (r *Release) defineTag(planned given[*plan.Plan], commit given[trace.Commit], built given[Artifacts]) workflow.Step[Tagged] {
	return workflow.Step[Tagged]{
		Name: trace.StepTag,
		Check: func(ctx context.Context, _ *Tagged) (Tagged, bool, error) {
			return r.isTagged(ctx, planned.Get(), commit.Get())
		},
		Do: func(ctx context.Context) (Tagged, error) {
			var date time.Time
			if built.Known() {
				date = built.Get().Tagged
			}
			return r.tag(ctx, planned.Get(), commit.Get().Hash, date)
		},
		Say:   Tagged.String,
		Whole: true,
	}
}

func (r *Release) isTagged(ctx context.Context, p *plan.Plan, commit trace.Commit) (Tagged, bool, error) {
	tagged := Tagged{Tags: p.Tags, Commit: commit.Hash}
	if commit.IsOut() {
		return tagged, true, nil
	}
	tags, err := r.Repo.Tags(ctx)
	if err != nil {
		return tagged, false, err
	}
	for _, t := range p.Tags {
		at, ok := tags[t]
		if ok && at != commit.Hash {
			return tagged, false, operr.NewStopped("find out which commit is right; if the commit of the release is right, delete the tag with `git tag -d "+operr.Word(t)+"`", "the tag %s is at the commit %.12s, but the release is at the commit %.12s", t, at, commit.Hash)
		}
		if !ok {
			return tagged, false, nil
		}
	}
	return tagged, true, nil
}

// tag creates the missing tags. If date is zero, it uses the current time.
func (r *Release) tag(ctx context.Context, p *plan.Plan, commit string, date time.Time) (Tagged, error) {
	tags, err := r.Repo.Tags(ctx)
	if err != nil {
		return Tagged{}, err
	}
	for _, t := range p.Tags {
		if _, ok := tags[t]; ok {
			continue
		}
		if err := r.Repo.MakeTag(ctx, commit, gitrepo.Tag{Name: t, Message: p.Bump.TagMessage(t), Date: date}); err != nil {
			return Tagged{}, err
		}
	}
	return Tagged{Tags: p.Tags, Commit: commit}, nil
}

// definePush defines the step that pushes the branch and the tags.
func (r *Release) definePush(find *finder, planned given[*plan.Plan], commit given[trace.Commit]) workflow.Step[Pushed] {
	return workflow.Step[Pushed]{
		Name: trace.StepPush,
		Check: func(ctx context.Context, _ *Pushed) (Pushed, bool, error) {
			return r.isPushed(ctx, find.trace(), planned.Get(), commit.Get().Hash)
		},
		Do: func(ctx context.Context) (Pushed, error) {
			return r.push(ctx, find.trace(), planned.Get(), commit.Get().Hash)
		},
		Say:     Pushed.String,
		Whole:   true,
		Retries: 3,
	}
}

func (r *Release) isPushed(ctx context.Context, t *trace.Trace, p *plan.Plan, commit string) (Pushed, bool, error) {
	refs, err := gitremote.Read(ctx, r.Repo, p.Remote)
	if err != nil {
		return Pushed{}, false, err
	}
	at, err := t.FindPushed(ctx, refs)
	if err != nil || at == "" || len(t.Lacks(refs)) > 0 {
		return Pushed{}, false, err
	}
	if at != commit {
		return Pushed{}, false, operr.NewStopped("find out which commit is right", "the remote %s has the tag of %s at the commit %.12s, but the release is at the commit %.12s", p.Remote, p.Title, at, commit)
	}
	return pushedOf(p, at), true, nil
}

// push pushes the branch and the tags atomically. If there are more tags than one push may contain, it needs several pushes; the first includes the
// branch. If the release is killed between two of them, the next run pushes the missing tags.
func (r *Release) push(ctx context.Context, t *trace.Trace, p *plan.Plan, commit string) (Pushed, error) {
	branch, tags := p.Branch, p.Tags
	if p.Landed { // the remote branch already has the commit, and may have later ones
		branch = ""
	}
	if len(tags) > gitremote.MaxTags {
		refs, err := gitremote.Read(ctx, r.Repo, p.Remote)
		if err != nil {
			return Pushed{}, err
		}
		theirs, err := r.findOther(ctx, p, refs)
		if err != nil {
			return Pushed{}, err
		}
		if theirs != "" { // checked before the first push, because the conflicting tag may belong to the last one
			return Pushed{}, refuseOther(p, theirs)
		}
		if lacks := t.Lacks(refs); len(lacks) > 0 && len(lacks) < len(tags) {
			out, err := t.HasRemote(ctx, refs, commit)
			if err != nil {
				return Pushed{}, err
			}
			if tags = lacks; out { // others may have pushed more commits since
				branch = ""
			}
		}
	}
	for some := range slices.Chunk(tags, gitremote.MaxTags) {
		if err := gitremote.Push(ctx, r.Repo, p.Remote, commit, branch, some...); err != nil {
			return Pushed{}, r.explainPush(ctx, p, commit, err)
		}
		branch = ""
	}
	return pushedOf(p, commit), nil
}

// findOther returns the first of the release's tags that the remote has and that is not the same as this clone's tag; "" if there is none.
func (r *Release) findOther(ctx context.Context, p *plan.Plan, refs gitremote.Refs) (string, error) {
	tags, err := r.Repo.Tags(ctx)
	if err != nil {
		return "", err
	}
	for _, tag := range p.Tags {
		if refs.Tags[tag] == "" {
			continue
		}
		if other, err := gitremote.OtherTag(ctx, r.Repo, refs, tag); other || err != nil || tags[tag] == "" {
			return tag, err
		}
	}
	return "", nil
}
