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
	Branch string `json:"branch"` // "" where the tags alone were pushed: a pull request brought the commit
	Commit string `json:"commit"`
}

// pushedOf is what a remote has of a release once it is pushed.
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

// defineCommit makes the one commit of the release. Its Check finds it wherever it is.
func (r *Release) defineCommit(find *finder, planned given[*plan.Plan]) workflow.Step[trace.Commit] {
	return workflow.Step[trace.Commit]{
		Name: trace.StepCommit,
		Check: func(ctx context.Context, _ *trace.Commit) (trace.Commit, bool, error) {
			return find.trace().Committed(ctx)
		},
		Do:    func(ctx context.Context) (trace.Commit, error) { return r.bumpAndCommit(ctx, planned.Get()) },
		Say:   trace.Commit.String,
		Whole: true,
	}
}

// bumpAndCommit makes the one commit of the release, or takes up what a run that was killed has left of it.
func (r *Release) bumpAndCommit(ctx context.Context, p *plan.Plan) (trace.Commit, error) {
	if p.Bump.Empty() {
		return trace.Commit{}, operr.New("commit or undo what differs; run it again", "the manifests were at the versions of %s, and are not any more", p.Title)
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

// defineTag makes the tags, with the date that the builds have seen, where something was built.
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
			return tagged, false, operr.NewStopped("find out which is right; `git tag -d "+operr.Word(t)+"` removes it", "the tag %s is at %.12s, and the release at %.12s", t, at, commit.Hash)
		}
		if !ok {
			return tagged, false, nil
		}
	}
	return tagged, true, nil
}

// tag makes the tags that are not there. A zero date is the present.
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

// definePush sends branch and tags to the remote.
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
	at, err := t.Pushed(ctx, refs)
	if err != nil || at == "" || len(t.Lacks(refs)) > 0 {
		return Pushed{}, false, err
	}
	if at != commit {
		return Pushed{}, false, operr.NewStopped("find out which is right", "%s has %s at %.12s, and the release is at %.12s", p.Remote, p.Title, at, commit)
	}
	return pushedOf(p, at), true, nil
}

// push sends branch and tags, all or nothing. More tags than a push may bring go by several, the first of which has the branch too: where it was
// killed between them, the tags that are there stay, and the others follow.
func (r *Release) push(ctx context.Context, t *trace.Trace, p *plan.Plan, commit string) (Pushed, error) {
	branch, tags := p.Branch, p.Tags
	if p.Landed { // the branch has the commit, and may be on its way by now
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
		if theirs != "" { // before the first push: it may be a tag of the last one
			return Pushed{}, refuseOther(p, theirs)
		}
		if lacks := t.Lacks(refs); len(lacks) > 0 && len(lacks) < len(tags) {
			out, err := t.HasRemote(ctx, refs, commit)
			if err != nil {
				return Pushed{}, err
			}
			if tags = lacks; out { // by now there may be commits of others on top of it
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

// findOther finds the first tag of a release that a remote has, and that is not the clone's own; "" for none.
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
