package trace

import (
	"cmp"
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// branchWith is the branch on the remote that a release which was pushed came from: the one that is checked out here, or
// else one that releases are made from and that has the commit.
func (t *Trace) branchWith(ctx context.Context, w *workspace.Workspace, refs gitremote.Refs, commit string) (string, error) {
	head, err := t.Repo.Head(ctx)
	if err != nil {
		return "", err
	}
	usual, here := w.Config.ReleaseBranch(head.Branch, refs.Default)
	if here {
		return usual, nil
	}
	var having []string
	for branch, at := range refs.Branches {
		_, ok := w.Config.ReleaseBranch(branch, refs.Default)
		if branch != usual && !ok {
			continue
		}
		has, err := t.Repo.Contains(ctx, at, commit)
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
