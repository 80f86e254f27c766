package trace

import (
	"cmp"
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// branchWith returns the remote branch that contains a pushed release. It is the current branch if releases are made from that, otherwise a release
// branch that contains the commit.
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
		return cmp.Or(usual, refs.Default, "main"), nil // without the commit in this clone, its branch is unknown
	case slices.Contains(having, usual):
		return usual, nil
	}
	return slices.Min(having), nil
}
