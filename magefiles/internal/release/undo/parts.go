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

// Parts are what a way back takes away in the clone, and what it leaves there. They are found before anybody is asked.
type Parts struct {
	Commit string   // the release's, on the branch that is checked out; "" where none is to be taken back there
	Revert string   // why it is reverted, and not removed; "" where it is removed
	Along  int      // commits that are pushed along with the one that reverts
	Tags   []string // of this clone
	Bump   []string // files with the release's bump that was never committed, by their paths from the top of the work tree
	Kept   []string // other files that are changed, which stay as they are
	Again  string   // the branch whose versions stay, and are tagged again by release-pr.yml; "" where nothing tags them by itself
	Landed string   // the pull request, by its URL, that is to say that the release was taken back, so that no job tags it again; "" where there is none
	Unread string   // why that pull request could not be looked for, where it may be there; else ""

	parent  string        // of Commit
	by      string        // the commit by which an undo that was killed has reverted it; "" where there is none
	pending *bump.Pending // that Bump is of
}

// same reports whether another look found what a person agreed to.
func (p Parts) same(other Parts) bool {
	return p.Commit == other.Commit && p.Revert == other.Revert && p.Along == other.Along && slices.Equal(p.Tags, other.Tags) &&
		slices.Equal(p.Bump, other.Bump) && slices.Equal(p.Kept, other.Kept) && p.Again == other.Again && p.Landed == other.Landed && p.Unread == other.Unread
}

// Lines say them, one thing a line.
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
		lines = append(lines, fmt.Sprintf("push %s along, which %s on top of it", operr.Count(p.Along, "commit"), map[bool]string{true: "is", false: "are"}[p.Along == 1]))
	}
	if len(p.Bump) > 0 {
		lines = append(lines, fmt.Sprintf("take back the bump in %s, which is not committed", operr.Count(len(p.Bump), "file")))
	}
	if len(p.Tags) > 0 {
		lines = append(lines, "remove tag "+strings.Join(p.Tags, ", ")+" of this clone")
	} else {
		lines = append(lines, "no tag")
	}
	if len(p.Kept) > 0 {
		lines = append(lines, fmt.Sprintf("other changes in %s are kept: %s", operr.Count(len(p.Kept), "file"), operr.Some(p.Kept)))
	}
	if p.Landed != "" {
		lines = append(lines, "the versions stay; "+p.Landed+" is marked as undone, so that no job tags them again")
	}
	if p.Unread != "" {
		lines = append(lines, "the pull request that brought the versions is not marked as undone, since it cannot be looked for: "+p.Unread)
	}
	if p.Again != "" {
		lines = append(lines, fmt.Sprintf("the versions stay on %s, and release-pr.yml tags them again with its next push: let a pull request bring others, or the old ones, before anything else", p.Again))
	}
	return lines
}

// findLying finds the release's own bump, which was not committed. One that a person has made since is theirs.
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

// findParts finds what the way back takes away in the clone, and refuses where git would.
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
	for _, c := range changed {
		if !slices.Contains(p.Bump, c.Path) {
			p.Kept = append(p.Kept, c.Path)
		}
	}
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return err
	}
	if p.Commit, err = b.findTaken(ctx, head); err != nil {
		return err
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
			if p.Along, err = b.trace.Repo.Ahead(ctx, head.Commit, b.refs.Branches[b.Plan.Branch]); err != nil {
				return err
			}
			if p.by != "" && p.Along > 0 {
				p.Along-- // that is the one that reverts
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

// findTaken finds the commit that an undo takes back, below where the clone is; "" where it is not there.
func (b *Back) findTaken(ctx context.Context, head gitrepo.Head) (first string, err error) {
	if b.Commit == "" || b.Plan.Bump.Empty() {
		return "", nil
	}
	if first, err = b.trace.FindCommit(ctx, head.Commit); err != nil {
		return "", err
	}
	return first, b.trace.RefuseOthers(ctx, first)
}

// explainRevert says why the branch cannot go back to before the release's commit, which is reverted then; "" where it can.
func (b *Back) explainRevert(ctx context.Context, head gitrepo.Head, first string) (string, error) {
	out, err := b.trace.HasRemote(ctx, b.refs, first)
	switch {
	case err != nil:
		return "", err
	case b.Way == Remote:
		return "and push that", nil
	case out:
		return "since " + b.Plan.Remote + " has it: `git push` takes it back there too", nil
	case first != head.Commit:
		return "since there are others on top of it", nil
	}
	return "", nil
}

// findRevert finds what an undo has made that was killed: the commit that takes the release's back; "" where there is none.
func (b *Back) findRevert(ctx context.Context, head gitrepo.Head, p Parts) (string, error) {
	if b.Way == Remote {
		return b.findTakenBack(ctx, head)
	}
	if p.Revert == "" {
		return "", nil
	}
	since, err := b.trace.Repo.Log(ctx, p.Commit)
	for _, c := range since {
		if err == nil && c.Reverts(p.Commit) {
			return c.Hash, nil
		}
	}
	return "", err
}

// refuseOverlap refuses to touch files that a person has changed: git would refuse it too, once the question is answered. What an undo has left
// that was killed in the middle is no change of a person's.
func (b *Back) refuseOverlap(ctx context.Context, head gitrepo.Head, p Parts, changed []gitrepo.Status) error {
	var inTheWay []string
	if p.Revert != "" {
		if left, err := b.trace.Repo.IsUnreverted(ctx, head.Commit); left || err != nil {
			return err
		}
	}
	if what, end := b.trace.Repo.Underway(ctx); what != "" { // git moves no branch in a merge, and forgets a cherry-pick where one moves
		return operr.New("end it: "+end+"; then `mage undo`", "git is in the middle of %s, and taking %s back would become a part of it; nothing was changed", what, b.Plan.Title).WithWayOn()
	}
	if p.Revert == "" {
		if may, err := b.trace.Repo.MayGoBack(ctx, p.parent); may || err != nil {
			return err
		}
	}
	touched, err := b.trace.Repo.Between(ctx, p.parent, p.Commit)
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
		return nil // git says it where it refuses
	}
	return operr.New("`git stash`, `mage undo`, `git stash pop --index`",
		"%s cannot be taken back beside changes of yours in %s; nothing was changed", b.Plan.Title, operr.Some(inTheWay)).WithWayOn()
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
