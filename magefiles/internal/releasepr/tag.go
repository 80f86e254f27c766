package releasepr

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/bumping"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
)

// HubInput is the input of release.yml by which a run is told that it makes the GitHub release: there is nobody else who would.
const HubInput = "hub"

// Tag tags what has landed at a commit that was checked, pushes the tags alone, and asks for a run of release.yml at each: a tag that a job pushes by its
// own token starts nothing. What is done already is seen on the remote, and is not done again.
func (p *Proposer) Tag(ctx context.Context, commit string) (Result, error) {
	r, err := p.openFor(ctx, nil)
	if err != nil {
		return Result{}, err
	}
	names, plan, err := r.findTags(ctx, commit)
	if err != nil {
		return Result{}, err
	}
	if err := r.refuseUndone(ctx, commit, names); err != nil {
		return Result{}, err
	}
	result := Result{Base: r.base, Merged: commit, Tags: names}
	if plan != nil {
		if err := r.pushTags(ctx, commit, names, plan); err != nil {
			return Result{}, err
		}
	}
	if r.hub.Client == nil {
		return result, nil // its CI starts by the tag
	}
	runs, err := r.hub.Client.Runs(ctx, forge.Query(commit))
	if err != nil {
		return Result{}, err
	}
	for _, tag := range names {
		if slices.ContainsFunc(runs, func(run github.Run) bool { return run.Ref == tag }) {
			r.View.Line("a run of %s for %s has begun already", forge.Workflow, tag)
			continue
		}
		if err := r.hub.Client.Dispatch(ctx, forge.Workflow, tag, map[string]string{HubInput: "true"}); err != nil {
			next := operr.NextOf(err)
			if status := (*github.StatusError)(nil); errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusUnprocessableEntity) {
				next = forge.Workflow + " has to be there, and to have workflow_dispatch with the input " + HubInput + ", as README shows it; until then `git pull` and `mage release` on a laptop go on"
			}
			return Result{}, operr.New(next+"; then run this job again: the tag is pushed", "%w", err)
		}
		r.View.Line("asked for a run of %s at %s", forge.Workflow, tag)
		if err := r.did("asked for " + tag); err != nil {
			return Result{}, err
		}
	}
	return result, nil
}

// refuseUndone refuses what undo has taken back since it was checked: the run of a job may be one of before, which a person runs again. An undo marks the pull
// request before it takes the tags away, so that a tag that is there still is no sign that it is wanted.
func (r *proposal) refuseUndone(ctx context.Context, commit string, names []string) error {
	of, err := r.landing(ctx, commit)
	if github.MayNotRead(err) {
		return operr.New("`mage ci:write` writes a "+forge.Proposing+" whose job tag has `pull-requests: read`; or `mage release` on a laptop goes on",
			"whether %s was taken back by undo stands in its pull request; nothing was tagged: %w", strings.Join(names, ", "), err)
	}
	if err == nil && of != nil && forge.IsUndone(of.Body) {
		return operr.NewStopped("take that line out of it, and run this job again, if it is to be released after all",
			"%s was taken back by undo, as %s says; nothing was tagged", strings.Join(names, ", "), of.URL)
	}
	return err
}

// findTags are the tags of what has landed at a commit, with the plan of those that the remote lacks; nil where it has all of them. Those that an earlier
// run has pushed are among them: it may have been stopped before it asked for their runs.
func (r *proposal) findTags(ctx context.Context, commit string) (names []string, plan *bump.Plan, err error) {
	head, err := r.repo.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	landed, err := trace.FindLanded(ctx, r.repo, r.store, r.w, bumping.HistoryOf(r.repo), r.refs.Tags)
	if err != nil {
		return nil, nil, err
	}
	if names, err = r.tagsAt(ctx, commit); err != nil {
		return nil, nil, err
	}
	if landed != nil && landed.Commit == commit {
		if on, err := r.repo.Contains(ctx, r.onto, commit); err != nil || !on {
			return nil, nil, errors.Join(err, operr.NewStopped("find out who has moved "+r.base, "%.12s is not on %s/%s any more; nothing was tagged", commit, r.remote, r.base))
		}
		names = append(names, landed.TagNames()...)
		slices.Sort(names)
		return names, landed.Bump, nil
	}
	if len(names) > 0 {
		return names, nil, nil
	}
	what := "nothing has landed that is not tagged"
	if landed != nil {
		what = strings.Join(landed.TagNames(), ", ") + " has landed at " + landed.Commit[:12]
	}
	return nil, nil, operr.NewStopped("run the workflow again: it checks what has landed", "%.12s was checked, and as of %.12s %s; nothing was tagged", commit, head.Commit, what)
}

// releaseTag is a tag as release.yml takes it: of all packages, or of one.
var releaseTag = lazyregexp.New(`^(?:[^/]+/)?v[0-9]`)

// tagsAt are the tags of releases that the remote has at a commit: of the versions that it has, or, where those stand in no file, by their form.
func (r *proposal) tagsAt(ctx context.Context, commit string) (names []string, err error) {
	for tag, at := range r.refs.Tags {
		if at == commit && releaseTag().MatchString(tag) {
			names = append(names, tag)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return nil, nil
	}
	w, err := r.store.At(ctx, r.repo, commit)
	if w == nil || err != nil {
		return names, err
	}
	if of := bump.PresentTags(w); len(of) > 0 {
		names = slices.DeleteFunc(names, func(name string) bool {
			return !slices.ContainsFunc(of, func(t bump.Tag) bool { return t.Name == name })
		})
	}
	return names, nil
}

// pushTags makes the tags that are not here, and pushes those that the remote lacks.
func (r *proposal) pushTags(ctx context.Context, commit string, names []string, plan *bump.Plan) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.refs.Tags[name] != "" })
	here, err := r.repo.Tags(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if at, ok := here[name]; ok && at != commit {
			return operr.NewStopped("find out which is right; `git tag -d "+operr.Word(name)+"` removes it", "the tag %s is at %.12s here, and the release at %.12s", name, at, commit)
		} else if !ok {
			if err := r.repo.MakeTag(ctx, commit, gitrepo.Tag{Name: name, Message: plan.TagMessage(name)}); err != nil {
				return err
			}
		}
	}
	for some := range slices.Chunk(names, gitremote.MaxTags) {
		if err := gitremote.Push(ctx, r.repo, r.remote, commit, "", some...); err != nil {
			return r.explainTag(err, commit, some)
		}
	}
	r.View.Line("pushed %s at %.12s", strings.Join(names, ", "), commit)
	return r.did("tags")
}

// explainTag says why a tag was not taken.
func (r *proposal) explainTag(err error, commit string, names []string) error {
	switch {
	case errors.Is(err, gitremote.ErrWorkflows):
		return operr.New("push it with credentials that may write workflows: `git pull` and `mage release` on a laptop go on with it",
			"%s takes no tag at %.12s from this job: it has workflow files that no branch has any more, as %s has changed them since: %w", r.remote, commit, r.base, err)
	case errors.Is(err, gitremote.ErrRejected):
		return operr.New("let a rule for tags take them from GitHub Actions, and run this job again; or `mage release` on a laptop goes on with it", "%s did not take %s: %w", r.remote, strings.Join(names, ", "), err)
	}
	return err
}
