package undo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
)

// Parts lists what an undo removes from the clone and what it keeps. It is computed before the user is asked.
type Parts struct {
	Commit string   // release commit on the current branch; "" if there is no commit to undo
	Revert string   // why the commit is reverted instead of removed; "" if it is removed
	Along  int      // number of other commits that are pushed together with the revert
	Tags   []string // tags to remove from this clone
	Bump   []string // files with the release's uncommitted bump, relative to the top of the work tree
	Kept   []string // other changed files, which are left alone
	Again  string   // branch that keeps the versions and whose next push makes release-pr.yml tag them again; "" if there is none
	Landed string   // URL of the pull request to mark as undone, so that no job tags it again; "" if there is none
	Unread string   // why the pull request could not be looked up, or ""

	parent  string        // parent of Commit
	by      string        // commit with which a killed undo already reverted Commit, or ""
	pending *bump.Pending // the uncommitted bump to which Bump belongs
}

// `same` reports whether the exported fields of p and other are equal.
func (p Parts) same(other Parts) bool {
	return p.Commit == other.Commit && p.Revert == other.Revert && p.Along == other.Along && slices.Equal(p.Tags, other.Tags) &&
		slices.Equal(p.Bump, other.Bump) && slices.Equal(p.Kept, other.Kept) && p.Again == other.Again && p.Landed == other.Landed && p.Unread == other.Unread
}

// Lines describes each part in one line, for display.
func (p Parts) Lines() (lines []string) {
	switch {
	case p.Commit != "" && p.Revert == "":
		lines = append(lines, fmt.Sprintf("remove commit %.12s (not pushed)", p.Commit))
	case p.Commit != "":
		lines = append(lines, fmt.Sprintf("revert commit %.12s, %s", p.Commit, p.Revert))
	case len(p.Bump) == 0:
		lines = append(lines, "no commit")
	}
	if p.Along > 0 {
		lines = append(lines, fmt.Sprintf("also push %s, which %s on top of it", operr.Count(p.Along, "commit"), map[bool]string{true: "is", false: "are"}[p.Along == 1]))
	}
	if len(p.Bump) > 0 {
		lines = append(lines, fmt.Sprintf("undo the uncommitted bump in %s", operr.Count(len(p.Bump), "file")))
	}
	if len(p.Tags) > 0 {
		lines = append(lines, "remove tag "+strings.Join(p.Tags, ", ")+" of this clone")
	} else {
		lines = append(lines, "no tag")
	}
	if len(p.Kept) > 0 {
		lines = append(lines, fmt.Sprintf("other changes in %s are kept: %s", operr.Count(len(p.Kept), "file"), operr.Abbreviate(p.Kept)))
	}
	if p.Landed != "" {
		lines = append(lines, "the versions stay; "+p.Landed+" is marked as undone, so that no job tags them again")
	}
	if p.Unread != "" {
		lines = append(lines, "the pull request that brought the versions is not marked as undone, because it cannot be found: "+p.Unread)
	}
	if p.Again != "" {
		lines = append(lines, fmt.Sprintf("the versions stay on %s, and the next push to the branch makes release-pr.yml tag them again; first merge a pull request that changes the versions", p.Again))
	}
	return lines
}

// findLying returns this release's bump if it was never committed. It ignores a bump that someone made later.
func (b *Back) findLying(ctx context.Context) (*bump.Pending, error) {
	p, err := b.trace.Store.Lying(ctx, b.trace.Repo)
	if err != nil || p == nil || p.Commit != "" || b.Plan.Bump.Empty() || !p.Plan.Same(b.Plan.Bump) {
		return nil, err
	}
	if b.past.Commit() != "" && !b.past.LeftOff(trace.StepCommit) {
		return nil, nil
	}
	return p, nil
}

// findParts computes b.Parts. It returns an error if git would refuse the undo.
func (b *Back) findParts(ctx context.Context) (err error) {
	p := Parts{}
	if p.Tags, err = b.trace.OwnTags(ctx); err != nil {
		return err
	}
	if p.pending, err = b.findLying(ctx); err != nil {
		return err
	}
	if p.pending != nil {
		for _, f := range p.pending.Plan.Files {
			p.Bump = append(p.Bump, b.trace.Store.PathOf(f.Path))
		}
	}
	changed, err := b.trace.Repo.StatusOf(ctx, nil, "--untracked-files=no")
	if err != nil {
		return err
	}
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return err
	}
	if p.Commit, err = b.findTaken(ctx, head); err != nil {
		return err
	}
	begun := false // a killed undo has changed the files already, and staged these changes
	if p.Commit == head.Commit {
		if begun, err = b.trace.Repo.IsUnreverted(ctx, head.Commit); err != nil {
			return err
		}
	}
	for _, c := range changed {
		if !slices.Contains(p.Bump, c.Path) && !(begun && c.Code[1] == ' ') {
			p.Kept = append(p.Kept, c.Path)
		}
	}
	if p.Commit != "" {
		if p.parent, err = b.trace.Repo.Parent(ctx, p.Commit); err != nil {
			return err
		}
		if p.Revert, err = b.explainRevert(ctx, head, p.Commit); err != nil {
			return err
		}
		if p.by, err = b.findRevert(ctx, head, p); err != nil {
			return err
		}
		if b.Way == Remote {
			if p.Along, err = b.trace.Repo.CountAhead(ctx, head.Commit, b.refs.Branches[b.Plan.Branch]); err != nil {
				return err
			}
			if p.by != "" && p.Along > 0 {
				p.Along-- // do not count the reverting commit
			}
		}
		if p.by == "" {
			if err := b.refuseOverlap(ctx, head, p, changed); err != nil {
				return err
			}
		}
	}
	b.Parts = p
	return nil
}

// findTaken returns the release commit on the current branch, or "".
func (b *Back) findTaken(ctx context.Context, head gitrepo.Head) (first string, err error) {
	if b.Commit == "" || b.Plan.Bump.Empty() {
		return "", nil
	}
	if first, err = b.trace.FindCommit(ctx, head.Commit); err != nil {
		return "", err
	}
	return first, b.trace.RefuseOthers(ctx, first)
}

// explainRevert returns the reason why the release commit must be reverted; "" if the branch can be reset instead.
func (b *Back) explainRevert(ctx context.Context, head gitrepo.Head, first string) (string, error) {
	out, err := b.trace.HasRemote(ctx, b.refs, first)
	switch {
	case err != nil:
		return "", err
	case b.Way == Remote:
		return "and push the revert", nil
	case out:
		return "because " + b.Plan.Remote + " has it; `git push` undoes it on the remote, too", nil
	case first != head.Commit:
		return "because later commits are on top of it", nil
	}
	return "", nil
}

// findRevert returns the commit with which a killed undo already reverted the release commit, or "".
func (b *Back) findRevert(ctx context.Context, head gitrepo.Head, p Parts) (string, error) {
	if b.Way == Remote {
		return b.findTakenBack(ctx, head)
	}
	if p.Revert == "" {
		return "", nil
	}
	return findReverting(ctx, b.trace.Repo, p.Commit)
}

// findReverting returns the commit on the current branch that reverts the given commit, or "".
func findReverting(ctx context.Context, repo *gitrepo.Repo, commit string) (string, error) {
	since, err := repo.Log(ctx, commit)
	if err != nil {
		return "", err
	}
	for _, c := range since {
		if c.Reverts(commit) {
			return c.Hash, nil
		}
	}
	return "", nil
}

// refuseOverlap returns an error if the undo would touch files with uncommitted changes. Git would refuse this too, but only after the user has
// confirmed. Changes that a killed undo left behind are ignored.
func (b *Back) refuseOverlap(ctx context.Context, head gitrepo.Head, p Parts, changed []gitrepo.Status) error {
	var inTheWay []string
	if p.Revert != "" {
		if left, err := b.trace.Repo.IsUnreverted(ctx, head.Commit); left || err != nil {
			return err
		}
	}
	if what, end := b.trace.Repo.Underway(ctx); what != "" { // git refuses to reset during a merge, and a reset would end a cherry-pick
		return operr.New("finish or stop this operation: "+end+"; then run `mage undo`", "git is in the middle of %s, which would include the undo of %s; nothing was changed", what, b.Plan.Title).WithWayOn()
	}
	if p.Revert == "" {
		if may, err := b.trace.Repo.MayGoBack(ctx, p.parent); may || err != nil {
			return err
		}
	}
	touched, err := b.trace.Repo.ChangedBetween(ctx, p.parent, p.Commit)
	if err != nil {
		return err
	}
	for _, c := range changed {
		staged := c.Code[0] != ' ' && c.Code[0] != '?'
		if slices.Contains(touched, c.Path) || p.Revert != "" && staged {
			inTheWay = append(inTheWay, c.Path)
		}
	}
	if len(inTheWay) == 0 {
		return nil // git itself reports any other conflict
	}
	return operr.New("run `git stash`, `mage undo`, and `git stash pop --index`",
		"%s cannot be undone while you have uncommitted changes in %s; nothing was changed", b.Plan.Title, operr.Abbreviate(inTheWay)).WithWayOn()
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
