package preflight

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// findLands says by what commits come to the branch, with what GitHub was read to say of it; "" where nothing is pushed to it, or GitHub is not the hub.
// Where it takes pull requests alone, the other way is said, and this one stays open: who pushes may be let through.
func (p *Preflight) findLands(ctx context.Context, a *asked) string {
	if a.aim != drafted || a.plan.Bump.Empty() || a.trace.Hub.Client == nil {
		return ""
	}
	by, read := a.trace.Hub.Client.LandsBy(ctx, a.branch)
	if by == github.LandsByPull && !p.toldLands {
		p.toldLands = true
		p.Say("%s takes commits by pull requests (%s): a push is refused unless you may go round that; `mage release -pr` is the other way", a.branch, read)
	}
	return string(by) + " (" + read + ")"
}

// findBranch says that the clone is on a branch that no release is made from, or that the unfinished one is not made from.
func findBranch(a *asked) *operr.Error {
	now := "on the branch " + a.head.Branch
	if a.head.Branch == "" {
		now = "on no branch"
	}
	if a.aim == begun {
		return operr.New("`git switch "+operr.Word(a.branch)+"`, or `mage undo`", "the clone is %s, and the release of %s was begun on %s", now, a.plan.Title, a.branch).WithWayOn()
	}
	next := "`git switch " + operr.Word(a.branch) + "`"
	if a.branch == "" {
		next = "go to one with `git switch`"
	}
	return operr.New(next+", or name another one in [tool.release] branch",
		"the clone is %s, and releases are made from %s", now, a.w.Config.ReleaseBranches(a.refs.Default))
}
