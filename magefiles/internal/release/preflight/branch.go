package preflight

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// findLands returns how commits reach the branch, and the GitHub rule that requires this. It returns "" if nothing is pushed to the branch or the hub
// is not GitHub. If the branch requires pull requests, it reports the alternative but does not fail: the user may be allowed to push anyway.
func (p *Preflight) findLands(ctx context.Context, a *asked) string {
	if a.aim != drafted || a.plan.Bump.Empty() || a.trace.Hub.Client == nil {
		return ""
	}
	by, read := a.trace.Hub.Client.LandsBy(ctx, a.branch)
	if by == github.LandsByPull && !p.toldLands {
		p.toldLands = true
		p.Say("%s accepts commits only by pull requests (%s), and refuses a push unless you may bypass this rule; `mage release -pr` opens a pull request instead", a.branch, read)
	}
	return string(by) + " (" + read + ")"
}

// findBranch returns the error for a clone on the wrong branch: either releases are not made from it, or the unfinished release was begun on another
// branch.
func findBranch(a *asked) *operr.Error {
	now := "on the branch " + a.head.Branch
	if a.head.Branch == "" {
		now = "on no branch"
	}
	if a.aim == begun {
		return operr.New("run `git switch "+operr.Word(a.branch)+"`, or `mage undo`", "the clone is %s, but the release of %s was begun on the branch %s", now, a.plan.Title, a.branch).WithWayOn()
	}
	next := "run `git switch " + operr.Word(a.branch) + "`"
	if a.branch == "" {
		next = "switch to one of these branches with `git switch`"
	}
	return operr.New(next+", or set `branch` in [tool.release] to another branch",
		"the clone is %s, but releases are made from %s", now, a.w.Config.ReleaseBranches(a.refs.Default))
}
