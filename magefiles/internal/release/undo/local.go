package undo

import (
	"context"
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// findLocal finds what is in the clone alone.
func (b *Back) findLocal(ctx context.Context) error {
	if err := b.trace.RefuseBranch(ctx); err != nil {
		return err
	}
	pending, err := b.trace.Store.Pending(ctx, b.trace.Repo)
	if err != nil {
		return err
	}
	found, made, err := b.trace.Committed(ctx)
	if err != nil {
		return err
	}
	own, err := b.trace.OwnTags(ctx)
	switch {
	case err != nil:
		return err
	case made && !b.Plan.Bump.Empty():
		b.Way, b.Commit = Local, found.Hash
	case made && len(own) > 0 || pending != nil:
		b.Way = Local
	default:
		b.Way = Nothing
		if err := b.refuseChanges(ctx); err != nil {
			return err
		}
		return b.takeRecorded(ctx)
	}
	return nil
}

// takeRecorded takes the journal's word for the commit, where this branch has it: what was put on top may have changed the versions, by
// which it is known otherwise.
func (b *Back) takeRecorded(ctx context.Context) error {
	hash := b.past.Commit()
	if hash == "" || b.Plan.Bump.Empty() {
		return nil
	}
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return err
	}
	has, err := b.trace.Repo.Contains(ctx, head.Commit, hash)
	if has {
		b.Way, b.Commit = Local, hash
	}
	return err
}

// refuseChanges refuses to say so where the commits since the plan may be the release's, and the manifests, which tell, have
// changes.
func (b *Back) refuseChanges(ctx context.Context) error {
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return err
	}
	changed, err := b.trace.Repo.Changed(ctx)
	if err == nil && head.Commit != b.Plan.Base && len(changed) > 0 && !b.Plan.Bump.Empty() {
		return operr.NewStopped("commit them, or put them away with `git stash`, and undo again",
			"the work tree has changes, and what of %s is to be taken back cannot be told: %s", b.Plan.Title, operr.Some(changed))
	}
	return err
}

// undoLocal goes back to before the commit, or, where others built on it or the remote has it, reverts it.
func (b *Back) undoLocal(ctx context.Context) (said []string, err error) {
	own, err := b.trace.OwnTags(ctx)
	if err != nil {
		return nil, err
	}
	head, first, err := b.findTaken(ctx)
	if err != nil {
		return nil, err
	}
	reverted, err := b.revertBelow(ctx, head, first)
	if err != nil {
		return nil, err
	}
	if reverted != "" {
		said = append(said, reverted)
	}
	for _, t := range own {
		if err := b.trace.Repo.DeleteTag(ctx, t); err != nil {
			return said, err
		}
		said = append(said, "removed the tag "+t)
	}
	pending, err := b.trace.Store.Pending(ctx, b.trace.Repo)
	if err != nil {
		return said, err
	}
	if b.Commit == "" {
		if pending != nil && pending.Commit == "" && !b.Plan.Bump.Empty() {
			return append(said, "took the bump back, which was not committed"), b.trace.Store.TakeBack(ctx, pending, b.trace.Repo)
		}
		return said, nil
	}
	if first == "" {
		return append(said, "its commit is not on "+b.Plan.Branch+" any more"), nil
	}
	if reverted != "" {
		return said, nil
	}
	parent, err := b.trace.Repo.Parent(ctx, first)
	if err != nil {
		return said, err
	}
	return append(said, fmt.Sprintf("took back the commit %.12s", first)), b.trace.Repo.Back(ctx, parent)
}

// revertBelow reverts the release's commit where the branch cannot go back to before it, and says so; "" where it can. It comes first: git may
// refuse it, and then nothing is changed. Run again after a kill, it finds what it made.
func (b *Back) revertBelow(ctx context.Context, head gitrepo.Head, first string) (said string, err error) {
	if first == "" {
		return "", nil
	}
	why := ""
	switch out, err := b.trace.HasRemote(ctx, b.refs, first); {
	case err != nil:
		return "", err
	case out:
		why = "since " + b.Plan.Remote + " has it: `git push` takes it back there too"
	case first != head.Commit:
		why = "since there are others on top of it"
	default:
		return "", nil
	}
	since, err := b.trace.Repo.Log(ctx, first)
	for _, c := range since {
		if err == nil && c.Reverts(first) {
			return fmt.Sprintf("reverted the commit %.12s by %.12s, %s", first, c.Hash, why), nil
		}
	}
	back, err := b.trace.Repo.Revert(ctx, first)
	if err != nil && ctx.Err() == nil {
		return "", operr.NewStopped("see what git says above; take it back by hand, or put away what is on top of it, and undo again", "%w; nothing was changed", err).WithDetail(operr.DetailOf(err))
	}
	return fmt.Sprintf("reverted the commit %.12s by %.12s, %s", first, back, why), err
}

// findTaken finds the commit that an undo takes back, and where the clone is; first is "" where it is not there. It is looked for before
// anything is changed.
func (b *Back) findTaken(ctx context.Context) (head gitrepo.Head, first string, err error) {
	if b.Commit == "" {
		return head, "", nil
	}
	if head, err = b.trace.Repo.Head(ctx); err == nil {
		first, err = b.trace.FindCommit(ctx, head.Commit)
	}
	if err == nil {
		err = b.trace.RefuseOthers(ctx, first)
	}
	return head, first, err
}
