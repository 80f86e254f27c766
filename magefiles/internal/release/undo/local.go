package undo

import (
	"context"
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// findLocal finds out what to undo if the release is only in the clone.
func (b *Back) findLocal(ctx context.Context) error {
	if err := b.trace.RefuseBranch(ctx); err != nil {
		return err
	}
	lying, err := b.findLying(ctx)
	if err != nil {
		return err
	}
	found, made, err := b.trace.FindOwnCommit(ctx)
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

// takeRecorded uses the release commit from the journal if this branch contains it. This is needed if later commits or uncommitted changes have
// changed the versions in the manifests, because the commit is otherwise found through these.
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

// refuseChanges returns an error if there are commits since the plan, and uncommitted changes make it impossible to tell whether they belong to the
// release.
func (b *Back) refuseChanges(ctx context.Context) error {
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return err
	}
	changed, err := b.trace.Repo.Changed(ctx)
	if err == nil && head.Commit != b.Plan.Base && len(changed) > 0 && !b.Plan.Bump.Empty() {
		return operr.NewStopped("commit the changes, or put the changes away with `git stash`, and run this command again",
			"cannot find out which parts of %s to undo, because the work tree has changes: %s", b.Plan.Title, operr.Abbreviate(changed))
	}
	return err
}

// undoLocal resets the branch to the parent of the release commit. If the commit was pushed or has other commits on top, it reverts the commit
// instead. Git may refuse either, so this comes first, before anything else is changed.
func (b *Back) undoLocal(ctx context.Context) (said []string, err error) {
	p := b.Parts
	switch {
	case p.Commit != "" && p.Revert == "":
		if err := b.trace.Repo.ResetTo(ctx, p.parent); err != nil {
			return nil, operr.New(fmt.Sprintf("read git's message above; to remove the commit by hand, run `git reset --keep %.12s`", p.parent), "%w; nothing was changed", err).WithDetail(operr.DetailOf(err))
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
	return append(said, "undid the bump, which was not committed"), b.trace.Store.TakeBack(ctx, p.pending, b.trace.Repo)
}

// checkGone returns an error if the branch still has the release commit from the journal, with its versions, after the undo.
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
	return operr.New(fmt.Sprintf("run `git revert %.12s` to revert the commit by hand", hash), "the branch still has the commit %.12s of %s, and its versions", hash, b.Plan.Title)
}

// revert commits a revert of the given commit. If git refuses, the error says how to revert it by hand.
func (b *Back) revert(ctx context.Context, hash string) (by string, err error) {
	if by, err = b.trace.Repo.Revert(ctx, hash); err != nil && ctx.Err() == nil {
		return "", operr.New(fmt.Sprintf("read git's message above; to revert the commit by hand, run `git revert %.12s`", hash), "%w; nothing was changed", err).WithDetail(operr.DetailOf(err))
	}
	return by, err
}

// describeHead describes HEAD after the undo.
func (b *Back) describeHead(ctx context.Context) (string, error) {
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
