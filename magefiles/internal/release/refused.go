package release

import (
	"context"
	"errors"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
)

// faster is the way on where somebody has pushed before us.
const faster = "`mage undo`, `git pull`, and release again"

// refuseOther is for a release of which the remote has a tag of somebody else's.
func refuseOther(p *plan.Plan, theirs string) error {
	return operr.New("find out who pushed it; "+faster, "%s was not pushed, since %s has the tag %s meanwhile", p.Title, p.Remote, theirs).WithWayOn()
}

// explainPush says what to do after a push that was refused. Whether somebody was faster, or the remote refuses it from anybody,
// is seen from what the remote has, and not read out of what it says.
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
	if len(p.Tags) > gitremote.MaxTags && rerr == nil { // which go by several pushes
		if theirs, rerr = r.findOther(ctx, p, refs); p.FindTag(refs.Tags) != theirs {
			nothing = "not all"
		}
	}
	switch {
	case errors.Is(err, gitremote.ErrWorkflows):
		return operr.New("push it with credentials that may write workflows, such as yours: `mage release` on a laptop goes on from here; or give the App of RELEASE_PR_TOKEN \"Workflows: read and write\"",
			"%s takes no tag of %s from this token: %.12s has workflow files that no branch has any more: %w", p.Remote, p.Title, commit, err).WithWayOn()
	case rerr != nil || !errors.Is(err, gitremote.ErrRejected):
		return operr.New("see what git says above; where somebody has pushed meanwhile: "+faster, "%s of %s was taken: %w", nothing, p.Title, err).WithWayOn()
	case theirs != "":
		return operr.New("find out who pushed it; "+faster, "%s of %s was taken, since %s has the tag %s meanwhile: %w", nothing, p.Title, p.Remote, theirs, err).WithWayOn()
	case refs.Branches[p.Branch] == commit || p.Landed:
		return operr.New("see what git says above: the rules of "+p.Remote+" for tags have to let it through; then run it again",
			"%s refused the tag of %s, and has its commit already: %w", p.Remote, p.Title, err)
	case !ours:
		return operr.New(faster, "nothing of %s was taken, since somebody has pushed to %s/%s meanwhile: %w", p.Title, p.Remote, p.Branch, err).WithWayOn()
	case p.Bump.Empty():
		return operr.New("see what git says above; where nobody may push to "+p.Branch+": have what is not pushed yet merged there by a pull request, `git pull`, and run it again",
			"%s refused the commits that its %s does not have yet: %w", p.Remote, p.Branch, err)
	}
	return operr.New("see what git says above; where nobody may push to "+p.Branch+", a pull request has to bring the versions there: "+p.ByPullRequest()+"; or `mage undo` and `mage release -pr`, which opens one",
		"%s refused the push to %s, and nothing of %s was taken: %w", p.Remote, p.Branch, p.Title, err).WithWayOn()
}
