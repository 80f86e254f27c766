package release

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/session"
)

// Way is how a release can be taken back.
type Way string

// The ways back.
const (
	Nothing  Way = "nothing"  // nothing was done yet
	Local    Way = "local"    // commit and tag are in this clone only
	Remote   Way = "remote"   // they are on the remote, and nothing was uploaded
	NoReturn Way = "noreturn" // something was uploaded
)

// Back is a way back that was worked out and not taken.
type Back struct {
	Plan     *Plan
	Way      Way
	Commit   string              // of the release; "" where there is none
	Uploaded []publish.Published // for NoReturn
	Running  string              // a CI run that may be uploading; "" where none is known
	Unseen   error               // why nobody here sees what the channel has, where its upload was not begun as far as that is known; else nil
	Absent   bool                // the channel is not there for who has our credential either
	Recorded bool                // this clone has its journal: whether it made a commit is known

	refs gitremote.Refs
	past *Past
}

// Undoing works out how the unfinished release can be taken back. The caller has the lock.
func (r *Release) Undoing(ctx context.Context) (*Back, error) {
	past, err := Last(r.State)
	if err != nil {
		return nil, err
	}
	if past == nil || past.End != "" {
		if past, err = r.Present(ctx); err != nil {
			return nil, err
		}
	}
	if past == nil || past.End == Released {
		return nil, operr.New("`mage status` says what there is", "no release is unfinished: there is nothing to undo")
	}
	r.take(past)
	b := &Back{Plan: past.Plan, Recorded: past.Path != "", past: past}
	if b.refs, err = gitremote.Read(ctx, r.Repo, b.Plan.Remote); err != nil {
		return nil, err
	}
	if b.Commit, err = r.pushed(ctx, b.refs); err != nil {
		return nil, err
	}
	if err := r.whose(ctx, b); err != nil {
		return nil, err
	}
	switch {
	case b.Commit != "" && len(b.Uploaded) > 0:
		b.Way = NoReturn
	case b.Commit != "":
		b.Way = Remote
		b.Running, err = r.running(ctx, b.Commit)
	default:
		err = r.localWay(ctx, b)
	}
	return b, err
}

// whose finds out what of the release is out, where its tags are on the remote: nothing is uploaded before. Where those are
// somebody else's, it has uploaded something only if its journal comes to that.
func (r *Release) whose(ctx context.Context, b *Back) error {
	if b.Commit == "" {
		return nil
	}
	sent, err := r.sent(ctx, b.refs)
	if err != nil {
		return err
	}
	if sent || r.past.began(StepPublish) {
		h, err := r.holdings(ctx, b.Commit)
		if err != nil {
			return err
		}
		b.Uploaded, b.Unseen, b.Absent = r.uploaded(h), h.Unseen, !h.Exists && h.Unseen == nil
	}
	if !sent && len(b.Uploaded) == 0 {
		b.Commit = ""
	}
	return nil
}

// DeleteURL is where prefix.dev's API takes the first of the uploaded files away (DELETE).
func (b *Back) DeleteURL() string {
	if len(b.Uploaded) == 0 {
		return ""
	}
	first := b.Uploaded[0]
	file := "/" + first.Subdir + "/" + first.File
	base := strings.TrimSuffix(first.URL, file)
	at := strings.LastIndex(base, "/")
	return strings.Replace(base[:at], "://repo.", "://", 1) + "/api/v1/delete" + base[at:] + file
}

// localWay finds what is in the clone alone.
func (r *Release) localWay(ctx context.Context, b *Back) error {
	if err := r.onItsBranch(ctx); err != nil {
		return err
	}
	pending, err := r.Store.Pending(ctx, r.Repo)
	if err != nil {
		return err
	}
	found, made, err := r.committed(ctx, nil)
	if err != nil {
		return err
	}
	own, err := r.ownTags(ctx)
	switch {
	case err != nil:
		return err
	case made && !b.Plan.Bump.Empty():
		b.Way, b.Commit = Local, found.Hash
	case made && len(own) > 0 || pending != nil:
		b.Way = Local
	default:
		b.Way = Nothing
		if err := r.nothingMade(ctx, b); err != nil {
			return err
		}
		return r.recorded(ctx, b)
	}
	return nil
}

// recorded takes the journal's word for the commit, where this branch has it: what was put on top may have changed the versions, by
// which it is known otherwise.
func (r *Release) recorded(ctx context.Context, b *Back) error {
	hash := b.past.commit()
	if hash == "" || b.Plan.Bump.Empty() {
		return nil
	}
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return err
	}
	has, err := r.Repo.Contains(ctx, head.Commit, hash)
	if has {
		b.Way, b.Commit = Local, hash
	}
	return err
}

// nothingMade refuses to say so where the commits since the plan may be the release's, and the manifests, which tell, have
// changes.
func (r *Release) nothingMade(ctx context.Context, b *Back) error {
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return err
	}
	changed, err := r.Repo.Changed(ctx)
	if err == nil && head.Commit != b.Plan.Base && len(changed) > 0 && !b.Plan.Bump.Empty() {
		return operr.NewStopped("commit them, or put them away with `git stash`, and undo again",
			"the work tree has changes, and what of %s is to be taken back cannot be told: %s", b.Plan.Title, operr.Some(changed))
	}
	return err
}

// Undo takes the way back. Each of its parts may be done again, so that an undo that was killed is run again.
func (r *Release) Undo(ctx context.Context, b *Back) (said []string, err error) {
	switch b.Way {
	case NoReturn:
		return []string{b.Plan.Title + " is given up; what is on the channel stays"}, r.finish(b, Abandoned)
	case Remote:
		if b.Running != "" {
			return nil, operr.NewStopped("cancel that run, and undo again", "a CI run may be uploading right now: %s", b.Running)
		}
		if said, err = r.undoRemote(ctx, b); err != nil {
			return said, err
		}
	case Local:
		if said, err = r.undoLocal(ctx, b); err != nil {
			return said, err
		}
	case Nothing:
		said = []string{"nothing of " + b.Plan.Title + " was done yet"}
	}
	return said, r.finish(b, Undone)
}

// undoLocal goes back to before the commit, or, where others built on it or the remote has it, reverts it.
func (r *Release) undoLocal(ctx context.Context, b *Back) (said []string, err error) {
	own, err := r.ownTags(ctx)
	if err != nil {
		return nil, err
	}
	head, first, err := r.taken(ctx, b)
	if err != nil {
		return nil, err
	}
	reverted, err := r.onTop(ctx, b, head, first)
	if err != nil {
		return nil, err
	}
	if reverted != "" {
		said = append(said, reverted)
	}
	for _, t := range own {
		if err := r.Repo.DeleteTag(ctx, t); err != nil {
			return said, err
		}
		said = append(said, "removed the tag "+t)
	}
	pending, err := r.Store.Pending(ctx, r.Repo)
	if err != nil {
		return said, err
	}
	if b.Commit == "" {
		if pending != nil && pending.Commit == "" && !b.Plan.Bump.Empty() {
			return append(said, "took the bump back, which was not committed"), r.Store.TakeBack(ctx, pending, r.Repo)
		}
		return said, nil
	}
	if first == "" {
		return append(said, "its commit is not on "+b.Plan.Branch+" any more"), nil
	}
	if reverted != "" {
		return said, nil
	}
	parent, err := r.Repo.Parent(ctx, first)
	if err != nil {
		return said, err
	}
	return append(said, fmt.Sprintf("took back the commit %.12s", first)), r.Repo.Back(ctx, parent)
}

// onTop reverts the release's commit where the branch cannot go back to before it, and says so; "" where it can. It comes first: git may
// refuse it, and then nothing is changed. Run again after a kill, it finds what it made.
func (r *Release) onTop(ctx context.Context, b *Back, head gitrepo.Head, first string) (said string, err error) {
	if first == "" {
		return "", nil
	}
	why := ""
	switch out, err := r.has(ctx, b.refs, first); {
	case err != nil:
		return "", err
	case out:
		why = "since " + b.Plan.Remote + " has it: `git push` takes it back there too"
	case first != head.Commit:
		why = "since there are others on top of it"
	default:
		return "", nil
	}
	since, err := r.Repo.Log(ctx, first)
	for _, c := range since {
		if err == nil && strings.Contains(c.Body, "This reverts commit "+first) {
			return fmt.Sprintf("reverted the commit %.12s by %.12s, %s", first, c.Hash, why), nil
		}
	}
	back, err := r.Repo.Revert(ctx, first)
	if err != nil && ctx.Err() == nil {
		return "", operr.NewStopped("see what git says above; take it back by hand, or put away what is on top of it, and undo again", "%w; nothing was changed", err).WithDetail(operr.DetailOf(err))
	}
	return fmt.Sprintf("reverted the commit %.12s by %.12s, %s", first, back, why), err
}

// taken is the commit that an undo takes back, and where the clone is; first is "" where it is not there. It is looked for before
// anything is changed.
func (r *Release) taken(ctx context.Context, b *Back) (head gitrepo.Head, first string, err error) {
	if b.Commit == "" {
		return head, "", nil
	}
	if head, err = r.Repo.Head(ctx); err == nil {
		first, err = r.releaseCommit(ctx, head.Commit)
	}
	if err == nil {
		err = r.itsOwn(ctx, first)
	}
	return head, first, err
}

// undoRemote reverts the commit and takes the tags away, in one push. The clone's own tags go last. Without a commit of the release
// the branch is nobody's affair, whatever was pushed there since.
func (r *Release) undoRemote(ctx context.Context, b *Back) (said []string, err error) {
	p := b.Plan
	head, err := r.Repo.Head(ctx)
	if err != nil {
		return nil, err
	}
	to := ""
	if !p.Bump.Empty() {
		atEnd, err := r.Repo.Contains(ctx, head.Commit, b.refs.Branches[p.Branch])
		if err != nil {
			return nil, err
		}
		if !atEnd || head.Branch != p.Branch {
			return nil, operr.New("`git switch "+p.Branch+"`, `git pull`, and undo again", "the clone is not at the end of %s/%s", p.Remote, p.Branch)
		}
		first, err := r.releaseCommit(ctx, b.Commit)
		if err != nil {
			return nil, err
		}
		if first == "" {
			return nil, operr.NewStopped("see `git log`; `git push --delete "+p.Remote+" "+strings.Join(p.Tags, " ")+"` takes the tags alone away",
				"which commit brought the versions of %s cannot be told", p.Title)
		}
		if err := r.itsOwn(ctx, first); err != nil {
			return nil, err
		}
		if to, err = r.reverted(ctx, first); err != nil {
			return nil, err
		}
		said = append(said, fmt.Sprintf("reverted the commit %.12s by %.12s", first, to))
	}
	if err := gitremote.Unpush(ctx, r.Repo, p.Remote, b.refs, to, p.Branch, p.Tags...); err != nil {
		return r.notUnpushed(ctx, said, head.Commit, to, err)
	}
	branch := "pushed " + p.Branch
	if p.Bump.Empty() {
		branch = p.Branch + " stays as it is"
	}
	said = append(said, fmt.Sprintf("removed %s from %s, and %s", strings.Join(p.Tags, ", "), p.Remote, branch))
	own, err := r.ownTags(ctx)
	if err != nil {
		return said, err
	}
	for _, t := range own {
		if err := r.Repo.DeleteTag(ctx, t); err != nil {
			return said, err
		}
	}
	return said, nil
}

// notUnpushed is the end of an undo that the remote did not take. Where it refuses to, it will again: then the clone goes back
// to where it was, so that the release can be completed.
func (r *Release) notUnpushed(ctx context.Context, said []string, head, to string, err error) ([]string, error) {
	p := r.plan
	if !errors.Is(err, gitremote.ErrRejected) {
		return said, operr.New("see what git says above; run `mage undo` again", "nothing was taken back on %s: %w", p.Remote, err)
	}
	if !p.Bump.Empty() && to != head {
		if back := r.Repo.Back(ctx, head); back != nil {
			return said, errors.Join(err, back)
		}
	}
	next := "see what git says above; where the remote keeps its tags, `mage release` completes the release; else `git pull`, and undo again"
	return nil, operr.New(next, "%s refuses to take %s back, and nothing was changed: %w", p.Remote, p.Title, err)
}

// reverted is the commit that takes the release's back: the one that an undo has made which was killed, or a new one. What is committed
// tells: the files of the work tree may be those of a revert that was refused, or killed before it was committed.
func (r *Release) reverted(ctx context.Context, first string) (string, error) {
	head, err := r.Repo.Resolve(ctx, "HEAD")
	if err != nil {
		return "", err
	}
	w, err := r.Store.At(ctx, r.Repo, head)
	if err != nil {
		return "", err
	}
	if w != nil && len(r.stillAt(w)) == 0 {
		return head, nil
	}
	return r.Repo.Revert(ctx, first)
}

// finish writes the end down.
func (r *Release) finish(b *Back, e session.End) error {
	r.session = r.newSession()
	defer r.session.Close()
	var err error
	if b.past.Path != "" {
		err = r.session.Resume(b.past.Past)
	} else {
		err = r.session.Agree(b.Plan)
	}
	if err != nil {
		return err
	}
	return r.session.End(e)
}
