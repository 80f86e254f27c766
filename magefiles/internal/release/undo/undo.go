// Package undo undoes an unfinished release, which is possible until the first upload.
//
//	undo.go    finds out how far the release got, and undoes it
//	parts.go   what an undo removes from the clone, and what it keeps
//	local.go   undoing a release that only the clone has
//	remote.go  undoing a release that is on the remote
//	stays.go   what remains in the history after an undo
package undo

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/github"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
)

// Way is the extent to which a release must, or can, be undone.
type Way string

// The values of Way.
const (
	Nothing  Way = "nothing"  // nothing was done yet
	Local    Way = "local"    // the commit and the tags are only in this clone
	Remote   Way = "remote"   // the commit and the tags are on the remote, and nothing was uploaded
	NoReturn Way = "noreturn" // something was uploaded, so the release cannot be undone
)

// Back describes what an undo will do. [Undo.Take] does it.
type Back struct {
	Plan     *plan.Plan
	Way      Way
	Commit   string              // release commit; "" if there is none
	Uploaded []publish.Published // set for NoReturn
	Running  string              // URL of a CI run that may be uploading; "" if none is known
	Unseen   error               // why the channel's packages are unknown, if no upload is known to have begun; otherwise nil
	Absent   bool                // whether the channel is invisible even with the credential
	Recorded bool                // whether this clone has the release's journal, which shows whether the release made a commit
	Parts    Parts               // set for Local and Remote
	Through  bool                // the release is complete and cannot be undone; only Plan and Uploaded are set

	refs    gitremote.Refs
	landing *github.Pull // the pull request of Parts.Landed
	past    *trace.Past
	trace   *trace.Trace
}

// Undo finds out how a release can be undone, and does it.
type Undo struct {
	Trace *trace.Trace // where to look for the release; Find sets the plan
	Tool  string       // version of this program
}

// Find finds out how the unfinished release can be undone. The caller must hold the lock. If the last release is complete, Find returns an error
// together with a Back whose Through is set.
func (u *Undo) Find(ctx context.Context) (*Back, error) {
	past, err := trace.Last(u.Trace.State)
	if err != nil {
		return nil, err
	}
	last := past
	if past == nil || past.End != "" {
		present, err := u.Trace.FindPresent(ctx, bump.Request{})
		if err != nil {
			return nil, err
		}
		if past = present.Past(); present.Unasked != nil {
			return nil, operr.New(operr.NextOf(present.Unasked)+"; then run this command again", "no release is unfinished in this clone, and the remote cannot be asked about releases of other clones: %w", present.Unasked)
		}
	}
	if past == nil && last != nil && last.End == trace.Released {
		past = last
	}
	if past == nil || past.End == trace.Released {
		return u.findReleased(ctx, past), operr.New("run `mage status` to see the last release", "no release is unfinished, so there is nothing to undo")
	}
	b := &Back{Plan: past.Plan, Recorded: past.Path != "", past: past, trace: u.Trace.Of(past)}
	if b.refs, err = gitremote.Read(ctx, b.trace.Repo, b.Plan.Remote); err != nil {
		return nil, err
	}
	if b.Commit, err = b.trace.FindPushed(ctx, b.refs); err != nil {
		return nil, err
	}
	if err := b.findUploaded(ctx); err != nil {
		return nil, err
	}
	switch {
	case b.Commit != "" && len(b.Uploaded) > 0:
		b.Way = NoReturn
	case b.Commit != "":
		b.Way = Remote
		if b.Running, err = b.trace.FindRunning(ctx, b.Commit); err == nil && b.Running == "" {
			err = b.findRemote(ctx)
		}
	default:
		err = b.findLocal(ctx)
	}
	return b, err
}

// findReleased returns a Back with the plan of a complete release and its files on the channel, if these can be listed; nil if past is nil.
func (u *Undo) findReleased(ctx context.Context, past *trace.Past) *Back {
	if past == nil {
		return nil
	}
	b := &Back{Plan: past.Plan, Way: Nothing, Through: true, trace: u.Trace.Of(past)}
	if h, err := b.trace.Look(ctx, past.Commit()); err == nil {
		b.Uploaded = b.trace.ListUploaded(h)
	}
	return b
}

// findUploaded finds the release's files on the channel. Files are uploaded only after the tags are pushed. If someone else pushed the tags, this
// release can only have uploaded files if its journal shows that the publish step was begun.
func (b *Back) findUploaded(ctx context.Context) error {
	if b.Commit == "" {
		return nil
	}
	sent, err := b.trace.CheckSent(ctx, b.refs)
	if err != nil {
		return err
	}
	if sent || b.trace.Past.HasBegun(trace.StepPublish) {
		h, err := b.trace.Look(ctx, b.Commit)
		if err != nil {
			return err
		}
		b.Uploaded, b.Unseen, b.Absent = b.trace.ListUploaded(h), h.Unseen, !h.Exists && h.Unseen == nil
	}
	if !sent && len(b.Uploaded) == 0 {
		b.Commit = ""
	}
	return nil
}

// DeleteURL returns the prefix.dev API URL for deleting the first uploaded file with a DELETE request.
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

// Same reports whether `other`, from a later Find, describes the same undo as b, to which the user agreed.
func (b *Back) Same(other *Back) bool { return b.Way == other.Way && b.Parts.same(other.Parts) }

// Refuse returns an error if the release cannot be undone at the moment, because a CI run may be uploading.
func (b *Back) Refuse() error {
	if b.Running == "" {
		return nil
	}
	return operr.NewStopped("cancel this CI run, and run this command again", "the CI run %s may be uploading packages now", b.Running)
}

// Take undoes the release, and returns a list of what it did. Each part can be repeated, so a killed undo can be run again.
func (u *Undo) Take(ctx context.Context, b *Back) (said []string, err error) {
	said, err = u.take(ctx, b)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = operr.New("`mage undo` continues from here", "%w, at a safe point", cause).WithWayOn()
	}
	return said, err
}

func (u *Undo) take(ctx context.Context, b *Back) (said []string, err error) {
	switch b.Way {
	case NoReturn:
		return []string{b.Plan.Title + " is abandoned; the packages on the channel stay"}, u.finish(b, trace.Abandoned)
	case Remote:
		if err := b.Refuse(); err != nil {
			return nil, err
		}
		if said, err = b.undoRemote(ctx); err != nil {
			return said, err
		}
	case Local:
		if said, err = b.undoLocal(ctx); err != nil {
			return said, err
		}
	case Nothing:
		is := "had been done yet"
		if b.past.Commit() != "" { // for example, a killed undo has removed the commit and the tags
			is = "is left to undo"
		}
		return []string{"nothing of " + b.Plan.Title + " " + is}, u.finish(b, trace.Undone)
	}
	if err := b.checkGone(ctx); err != nil {
		return said, err
	}
	at, err := b.describeHead(ctx)
	if err != nil {
		return said, err
	}
	return append(said, at), u.finish(b, trace.Undone)
}

// finish records the end of the release in the journal.
func (u *Undo) finish(b *Back, e session.End) error {
	k := trace.Kind(u.Trace.State)
	k.Tool = u.Tool
	s := k.New()
	defer s.Close()
	var err error
	if b.Recorded {
		err = s.Resume(b.past.Past)
	} else {
		err = s.Agree(b.Plan)
	}
	if err != nil {
		return err
	}
	return s.End(e)
}
