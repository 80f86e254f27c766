package release

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
)

// faster is the next step if someone else pushed first.
const faster = "run `mage undo` and `git pull`, and release again"

// refuseOther returns the error for a release if someone else has already pushed one of its tags, `theirs`.
func refuseOther(p *plan.Plan, theirs string) error {
	return operr.New("find out who pushed the tag; then "+faster, "%s was not pushed, because %s has the tag %s now", p.Title, p.Remote, theirs).WithWayOn()
}

// explainPush adds the next step to the error of a rejected push. It reads the remote's refs, rather than parsing git's message, to find out whether
// someone else pushed first or the remote rejects such pushes from everyone.
func (r *Release) explainPush(ctx context.Context, p *plan.Plan, commit string, err error) error {
	if gitremote.Transient(err) || ctx.Err() != nil {
		return err
	}
	refs, rerr := gitremote.Read(ctx, r.Repo, p.Remote)
	ours, nothing := true, "nothing"
	if there := refs.Branches[p.Branch]; there != "" && rerr == nil {
		ours, rerr = r.Repo.Contains(ctx, commit, there)
	}
	theirs := p.FindTag(refs.Tags)
	if len(p.Tags) > gitremote.MaxTags && rerr == nil { // these tags needed several pushes
		if theirs, rerr = r.findOther(ctx, p, refs); p.FindTag(refs.Tags) != theirs {
			nothing = "not all"
		}
	}
	switch {
	case errors.Is(err, gitremote.ErrWorkflows):
		return operr.New("run `mage release` on a laptop, with credentials that may write workflows, such as yours; or give the GitHub App of RELEASE_PR_TOKEN the permission \"Workflows: read and write\"",
			"%s does not let this token push the tag of %s, because the commit %.12s has workflow files that no branch has any more: %w", p.Remote, p.Title, commit, err).WithWayOn()
	case rerr != nil || !errors.Is(err, gitremote.ErrRejected):
		return operr.New("read git's message above; if someone else has pushed, "+faster, "%s of %s was pushed: %w", nothing, p.Title, err).WithWayOn()
	case theirs != "":
		return operr.New("find out who pushed the tag; then "+faster, "%s of %s was pushed, because %s has the tag %s now: %w", nothing, p.Title, p.Remote, theirs, err).WithWayOn()
	case refs.Branches[p.Branch] == commit || p.Landed:
		return operr.New("read git's message above; change the tag rules of "+p.Remote+" so that they allow this tag, and run this command again",
			"%s refused the tag of %s, but has the release's commit already: %w", p.Remote, p.Title, err)
	case !ours:
		return operr.New(faster, "nothing of %s was pushed, because someone else has pushed to %s/%s: %w", p.Title, p.Remote, p.Branch, err).WithWayOn()
	case p.Bump.Empty():
		return operr.New("read git's message above; if nobody may push to "+p.Branch+", merge your unpushed commits by a pull request, run `git pull`, and run this command again",
			"%s refused to add your unpushed commits to its branch %s: %w", p.Remote, p.Branch, err)
	}
	return operr.New("read git's message above; if nobody may push to "+p.Branch+", release by a pull request: "+p.ByPullRequest()+"; or run `mage undo` and `mage release -pr`, which opens the pull request",
		"%s refused the push to %s, and nothing of %s was pushed: %w", p.Remote, p.Branch, p.Title, err).WithWayOn()
}
