package undo

import (
	"context"
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// findLocal finds what is in the clone alone.
func (b *Back) findLocal(ctx context.Context) error {
	if err := b.trace.RefuseBranch(ctx); err != nil {
		return err
	}
	lying, err := b.findLying(ctx)
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
	case made && len(own) > 0 || lying != nil:
		b.Way = Local
	default:
		b.Way = Nothing
		if err := b.takeRecorded(ctx); err != nil {
			return err
		}
		if b.Way == Nothing {
			return b.refuseChanges(ctx)
		}
	}
	return b.findParts(ctx)
}

// takeRecorded takes the journal's word for the commit, where this branch has it: what was put on top, or lies in the work tree, may have
// changed the versions, by which it is known otherwise.
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

// undoLocal goes back to before the commit, or, where others built on it or the remote has it, reverts it. Git may refuse that, so it comes first:
// then nothing is changed.
func (b *Back) undoLocal(ctx context.Context) (said []string, err error) {
	p := b.Parts
	switch {
	case p.Commit != "" && p.Revert == "":
		if err := b.trace.Repo.Back(ctx, p.parent); err != nil {
			return nil, operr.New(fmt.Sprintf("see what git says above; `git reset --keep %.12s` goes back by hand", p.parent), "%w; nothing was changed", err).WithDetail(operr.DetailOf(err))
		}
		said = append(said, fmt.Sprintf("removed the commit %.12s", p.Commit))
	case p.Commit != "":
		by := p.by
		if by == "" {
			if by, err = b.revert(ctx, p.Commit); err != nil {
				return nil, err
			}
		}
		said = append(said, fmt.Sprintf("reverted the commit %.12s by %.12s, %s", p.Commit, by, p.Revert))
	case b.Commit != "":
		said = append(said, "its commit is not on "+b.Plan.Branch+" any more")
	}
	for _, t := range p.Tags {
		if err := b.trace.Repo.DeleteTag(ctx, t); err != nil {
			return said, err
		}
		said = append(said, "removed the tag "+t)
	}
	if p.pending == nil {
		return said, nil
	}
	return append(said, "took the bump back, which was not committed"), b.trace.Store.TakeBack(ctx, p.pending, b.trace.Repo)
}

// checkGone is an error where the commit that the journal names is still what the branch is made of, though the way back was taken.
func (b *Back) checkGone(ctx context.Context) error {
	hash := b.past.Commit()
	if hash == "" || b.Plan.Bump.Empty() {
		return nil
	}
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return err
	}
	has, err := b.trace.Repo.Contains(ctx, head.Commit, hash)
	if err != nil || !has {
		return err
	}
	w, err := b.trace.Store.At(ctx, b.trace.Repo, head.Commit)
	if err != nil || len(b.trace.StillAt(w)) == 0 {
		return err
	}
	first, err := b.trace.FindCommit(ctx, head.Commit)
	if err != nil || first != hash {
		return err
	}
	return operr.New(fmt.Sprintf("`git revert %.12s` takes it back by hand", hash), "the commit %.12s of %s is still there, and its versions are", hash, b.Plan.Title)
}

// revert makes the commit that takes one back. Where git refuses, the error says how it is done by hand.
func (b *Back) revert(ctx context.Context, hash string) (by string, err error) {
	if by, err = b.trace.Repo.Revert(ctx, hash); err != nil && ctx.Err() == nil {
		return "", operr.New(fmt.Sprintf("see what git says above; `git revert %.12s` takes it back by hand", hash), "%w; nothing was changed", err).WithDetail(operr.DetailOf(err))
	}
	return by, err
}

// ended is the way back as it ended: where the clone is.
func (b *Back) ended(ctx context.Context) (string, error) {
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return "", err
	}
	message, err := b.trace.Repo.MessageOf(ctx, head.Commit)
	if err != nil {
		return "", err
	}
	branch := head.Branch
	if branch == "" {
		branch = "no branch"
	}
	return fmt.Sprintf("HEAD is %s, %s (%s)", head.Short(), branch, firstLine(message)), nil
}
