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

// findRemote finds what is taken back of a release that the remote has, and refuses where the clone is not at the end of the branch. Without a
// commit of the release the branch is nobody's affair, whatever was pushed there since.
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
			return operr.New("`git switch "+operr.Word(p.Branch)+"`, `git pull`, and undo again", "the clone is not at the end of %s/%s", p.Remote, p.Branch)
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
		return operr.NewStopped("see `git log`; `git push --delete "+operr.Word(p.Remote)+" "+operr.Words(p.Tags)+"` takes the tags alone away",
			"which commit brought the versions of %s cannot be told", p.Title)
	}
	return nil
}

// findLanding finds the pull request that has brought the versions, which is to say that they were taken back: what is on the branch stays there. Where it
// cannot be marked, a job tags them again.
func (b *Back) findLanding(ctx context.Context) error {
	p := b.Plan
	if hub := b.trace.Hub; hub.Client != nil && hub.Token {
		pulls, err := hub.Client.Pulls(ctx, forge.BranchOf(p.Branch))
		if github.MayNotRead(err) {
			b.Parts.Unread = err.Error() // the tag can be taken away all the same
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

// undoRemote reverts the commit and takes the tags away, in one push. The clone's own tags go last.
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
	if of := b.landing; of != nil { // before the tag goes: no job is to set it again meanwhile
		if err := b.trace.Hub.Client.EditPull(ctx, of.Number, of.Title, forge.MarkUndone(of.Body)); err != nil {
			return said, operr.New(operr.NextOf(err)+"; and undo again", "nothing was taken back: %w", err).WithWayOn()
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

// explainKept is the end of an undo that the remote did not take. Where it refuses to, it will again: then the clone goes back
// to where it was, so that the release can be completed.
func (b *Back) explainKept(ctx context.Context, said []string, head, to string, err error) ([]string, error) {
	p := b.Plan
	if !errors.Is(err, gitremote.ErrRejected) {
		return said, operr.New("see what git says above; run `mage undo` again", "nothing was taken back on %s: %w", p.Remote, err).WithWayOn()
	}
	if !p.Bump.Empty() && to != head {
		if back := b.trace.Repo.Back(ctx, head); back != nil {
			return said, errors.Join(err, back)
		}
	}
	next := "see what git says above; where the remote keeps its tags, `mage release` completes the release; else `git pull`, and undo again"
	return nil, operr.New(next, "%s refuses to take %s back, and nothing was changed: %w", p.Remote, p.Title, err).WithWayOn()
}

// findTakenBack is the commit that takes the release's back, where the clone's last one is it: the one that an undo has made which was killed; ""
// where there is none. What is committed tells: the files of the work tree may be those of a revert that was refused, or killed before it was committed.
func (b *Back) findTakenBack(ctx context.Context, head gitrepo.Head) (string, error) {
	w, err := b.trace.Store.At(ctx, b.trace.Repo, head.Commit)
	if err != nil || w == nil || len(b.trace.StillAt(w)) > 0 {
		return "", err
	}
	return head.Commit, nil
}
