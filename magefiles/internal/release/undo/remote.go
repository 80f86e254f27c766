package undo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// findRemote finds out what to undo if the release is on the remote. If there is a commit to revert, the clone must be at the end of the branch.
func (b *Back) findRemote(ctx context.Context) error {
	p := b.Plan
	if !p.Bump.Empty() {
		head, err := b.trace.Repo.Head(ctx)
		if err != nil {
			return err
		}
		atEnd, err := b.trace.Repo.Contains(ctx, head.Commit, b.refs.Branches[p.Branch])
		if err != nil {
			return err
		}
		if !atEnd || head.Branch != p.Branch {
			return operr.New("run `git switch "+operr.Word(p.Branch)+"` and `git pull`, and then this command again", "the clone is not at the last commit of %s/%s", p.Remote, p.Branch)
		}
	}
	if err := b.findParts(ctx); err != nil {
		return err
	}
	if p.Bump.Empty() {
		if w, err := workspace.Load(b.trace.Root); err == nil && w.Config.Land == settings.LandByPull && w.Config.Publish == settings.PublishCI {
			return b.findLanding(ctx)
		}
		return nil
	}
	if b.Parts.Commit == "" {
		return operr.NewStopped("find the commit in `git log` and revert the commit; to delete only the tags, run `git push --delete "+operr.Word(p.Remote)+" "+operr.Words(p.Tags)+"`",
			"cannot find the commit that set the versions of %s", p.Title)
	}
	return nil
}

// findLanding finds the pull request that landed the versions, so that the undo can mark it. The versions remain on the branch, and without the mark
// a job would tag them again.
func (b *Back) findLanding(ctx context.Context) error {
	p := b.Plan
	if hub := b.trace.Hub; hub.Client != nil && hub.Token {
		pulls, err := hub.Client.Pulls(ctx, forge.BranchOf(p.Branch))
		if github.MayNotRead(err) {
			b.Parts.Unread = err.Error() // the tag can still be removed
		} else if err != nil {
			return err
		}
		if b.landing = forge.Landing(pulls, p.Branch, b.Commit); b.landing != nil {
			b.Parts.Landed = b.landing.URL
			return nil
		}
	}
	b.Parts.Again = p.Branch
	return nil
}

// undoRemote reverts the commit, and pushes the revert together with the deletion of the tags. It deletes the clone's tags last.
func (b *Back) undoRemote(ctx context.Context) (said []string, err error) {
	p := b.Plan
	if err := b.findRemote(ctx); err != nil {
		return nil, err
	}
	head, err := b.trace.Repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	to := ""
	if first := b.Parts.Commit; first != "" {
		if to = b.Parts.by; to == "" {
			if to, err = b.revert(ctx, first); err != nil {
				return nil, err
			}
		}
		said = append(said, fmt.Sprintf("reverted the commit %.12s by %.12s", first, to))
	}
	if of := b.landing; of != nil { // before the tag is removed, so that no job can tag it again in between
		if err := b.trace.Hub.Client.EditPull(ctx, of.Number, of.Title, forge.MarkUndone(of.Body)); err != nil {
			return said, operr.New(operr.NextOf(err)+"; then run `mage undo` again", "nothing was undone: %w", err).WithWayOn()
		}
		said = append(said, "marked "+of.URL+" as undone")
	}
	if err := gitremote.Unpush(ctx, b.trace.Repo, p.Remote, b.refs, to, p.Branch, p.Tags...); err != nil {
		return b.explainKept(ctx, said, head.Commit, to, err)
	}
	branch := "pushed " + p.Branch
	if p.Bump.Empty() {
		branch = p.Branch + " stays as it is"
	}
	said = append(said, fmt.Sprintf("removed %s from %s, and %s", strings.Join(p.Tags, ", "), p.Remote, branch))
	for _, t := range b.Parts.Tags {
		if err := b.trace.Repo.DeleteTag(ctx, t); err != nil {
			return said, err
		}
	}
	return said, nil
}

// explainKept returns the error for an undo that could not be pushed. If the remote rejected the push, a retry would fail too, so it resets the clone
// to head; then the release can still be completed.
func (b *Back) explainKept(ctx context.Context, said []string, head, to string, err error) ([]string, error) {
	p := b.Plan
	if ctx.Err() != nil { // the remote may have the undo already
		return said, err
	}
	if !errors.Is(err, gitremote.ErrRejected) {
		return said, operr.New("read git's message above, and run `mage undo` again", "nothing was undone on %s: %w", p.Remote, err).WithWayOn()
	}
	if !p.Bump.Empty() && to != head {
		if back := b.trace.Repo.ResetTo(ctx, head); back != nil {
			return said, errors.Join(err, back)
		}
	}
	next := "read git's message above; if the remote does not allow deleting tags, run `mage release` to complete the release; otherwise run `git pull`, and `mage undo` again"
	return nil, operr.New(next, "the remote %s refused the undo of %s, and nothing was changed: %w", p.Remote, p.Title, err).WithWayOn()
}

// findTakenBack returns the clone's HEAD commit if that no longer has the release's versions, because a killed undo has already reverted the release;
// otherwise "". It looks only at committed files, because the work tree may contain an unfinished revert.
func (b *Back) findTakenBack(ctx context.Context, head gitrepo.Head) (string, error) {
	w, err := b.trace.Store.At(ctx, b.trace.Repo, head.Commit)
	if err != nil || w == nil || len(b.trace.StillAt(w)) > 0 {
		return "", err
	}
	return head.Commit, nil
}
