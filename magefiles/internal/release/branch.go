package release

import (
	"cmp"
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// branchOf is the branch that a release is made from, and whether it is the one that is checked out.
func branchOf(w *workspace.Workspace, head gitrepo.Head, refs gitremote.Refs) (branch string, ok bool) {
	return w.Config.ReleaseBranch(head.Branch, refs.Default)
}

// branchWith is the branch on the remote that a release which was pushed came from: the one that is checked out here, or
// else one that releases are made from and that has the commit.
func (r *Release) branchWith(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs, commit string) (string, error) {
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return "", err
	}
	usual, here := branchOf(w, head, refs)
	if here {
		return usual, nil
	}
	var having []string
	for branch, at := range refs.Branches {
		_, ok := w.Config.ReleaseBranch(branch, refs.Default)
		if branch != usual && !ok {
			continue
		}
		has, err := r.Repo.Contains(ctx, at, commit)
		if err != nil {
			return "", err
		}
		if has {
			having = append(having, branch)
		}
	}
	switch {
	case len(having) == 0:
		return cmp.Or(usual, refs.Default, "main"), nil // where the commit is not here, which one has it cannot be told
	case slices.Contains(having, usual):
		return usual, nil
	}
	return slices.Min(having), nil
}

// ofBranch says that the clone is on a branch that no release is made from, or that the unfinished one is not made from.
func (r *Release) ofBranch(a *asked) *operr.Error {
	now := "on the branch " + a.head.Branch
	if a.head.Branch == "" {
		now = "on no branch"
	}
	if r.plan != nil && !a.drafted {
		return operr.New("`git switch "+a.branch+"`, or `mage undo`", "the clone is %s, and the release of %s was begun on %s", now, r.plan.Title, a.branch)
	}
	next := "`git switch " + a.branch + "`"
	if a.branch == "" {
		next = "go to one with `git switch`"
	}
	return operr.New(next+", or name another one in [tool.release] branch",
		"the clone is %s, and releases are made from %s", now, a.w.Config.ReleaseBranches(a.refs.Default))
}
