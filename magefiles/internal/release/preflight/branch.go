package preflight

import "github.com/foopack/foopack/magefiles/internal/operr"

// findBranch says that the clone is on a branch that no release is made from, or that the unfinished one is not made from.
func findBranch(a *asked) *operr.Error {
	now := "on the branch " + a.head.Branch
	if a.head.Branch == "" {
		now = "on no branch"
	}
	if a.aim == begun {
		return operr.New("`git switch "+a.branch+"`, or `mage undo`", "the clone is %s, and the release of %s was begun on %s", now, a.plan.Title, a.branch).WithWayOn()
	}
	next := "`git switch " + a.branch + "`"
	if a.branch == "" {
		next = "go to one with `git switch`"
	}
	return operr.New(next+", or name another one in [tool.release] branch",
		"the clone is %s, and releases are made from %s", now, a.w.Config.ReleaseBranches(a.refs.Default))
}
