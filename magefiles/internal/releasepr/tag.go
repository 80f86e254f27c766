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

// HubInput is the input of release.yml that makes a run create the GitHub release.
const HubInput = "hub"

// Tag tags the versions that landed with a checked commit, pushes only the tags, and requests a run of release.yml for each, because a tag that a job
// pushes with its own token does not start a run. It skips the parts that are already done on the remote.
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
		return result, nil // the CI of another forge starts from the tag
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
				next = "add " + forge.Workflow + " with workflow_dispatch and the input " + HubInput + " (`mage ci:write` writes this file), or run `git pull` and `mage release` on a laptop instead"
			}
			return Result{}, operr.New(next+"; then run this job again (the tag is already pushed)", "%w", err)
		}
		r.View.Line("requested a run of %s for %s", forge.Workflow, tag)
		if err := r.did("asked for " + tag); err != nil {
			return Result{}, err
		}
	}
	return result, nil
}

// refuseUndone returns an error if an undo has reverted the versions after the check, because someone may rerun an old job. An undo marks the pull
// request before it removes the tags, so the tags may still exist.
func (r *proposal) refuseUndone(ctx context.Context, commit string, names []string) error {
	of, err := r.landing(ctx, commit)
	if github.MayNotRead(err) {
		return operr.New("run `mage ci:write`, which writes a "+forge.Proposing+" whose job `tag` has `pull-requests: read`; or run `mage release` on a laptop",
			"nothing was tagged, because the pull request of %s, which says whether `mage undo` has undone the release, cannot be read: %w", strings.Join(names, ", "), err)
	}
	if err == nil && of != nil && forge.IsUndone(of.Body) {
		return operr.NewStopped("to release this version after all, remove the line about the undo from the pull request, and run this job again",
			"`mage undo` has undone the release of %s, as %s says; nothing was tagged", strings.Join(names, ", "), of.URL)
	}
	return err
}

// findTags returns the tags of the versions that landed with a commit, and a plan of the tags that the remote lacks, or nil if it has all of them. It
// includes tags that an earlier run has pushed, because that run may have been killed before it requested their runs of release.yml.
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
			return nil, nil, errors.Join(err, operr.NewStopped("find out who has moved "+r.base, "the commit %.12s is not on %s/%s any more; nothing was tagged", commit, r.remote, r.base))
		}
		names = append(names, landed.TagNames()...)
		slices.Sort(names)
		return names, landed.Bump, nil
	}
	if len(names) > 0 {
		return names, nil, nil
	}
	what := "every version that has landed is tagged"
	if landed != nil {
		what = strings.Join(landed.TagNames(), ", ") + " has landed at " + landed.Commit[:12]
	}
	return nil, nil, operr.NewStopped("run the workflow again: it checks the commit that has landed", "the commit %.12s was checked, but the branch is now at the commit %.12s, where %s; nothing was tagged", commit, head.Commit, what)
}

// releaseTag matches the tags that release.yml accepts, for all packages or for one.
var releaseTag = lazyregexp.New(`^(?:[^/]+/)?v[0-9]`)

// tagsAt returns the remote's release tags at a commit: those of the commit's versions or, if no file has versions, those that match releaseTag.
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

// pushTags creates the tags that this clone lacks, and pushes those that the remote lacks.
func (r *proposal) pushTags(ctx context.Context, commit string, names []string, plan *bump.Plan) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return r.refs.Tags[name] != "" })
	here, err := r.repo.Tags(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if at, ok := here[name]; ok && at != commit {
			return operr.NewStopped("find out which commit is right; if the release is right, delete the tag here with `git tag -d "+operr.Word(name)+"`", "the tag %s is at %.12s here, but the release is at %.12s", name, at, commit)
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

// explainTag adds the reason and the next step to the error of a rejected tag.
func (r *proposal) explainTag(err error, commit string, names []string) error {
	switch {
	case errors.Is(err, gitremote.ErrWorkflows):
		return operr.New("push the tag with credentials that may write workflows: run `git pull` and `mage release` on a laptop",
			"%s did not let this job tag the commit %.12s, which has workflow files that no branch has any more, because %s has changed these files since: %w", r.remote, commit, r.base, err)
	case errors.Is(err, gitremote.ErrRejected):
		return operr.New("change the tag rules so that GitHub Actions may push these tags, and run this job again; or run `mage release` on a laptop", "%s refused the tags %s: %w", r.remote, strings.Join(names, ", "), err)
	}
	return err
}
