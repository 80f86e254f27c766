// Package undo is the way back of a release that is unfinished, before the point of no return, which is the first upload.
//
//	undo.go    which way back there is, and that it is taken
//	parts.go   what it takes away in the clone, and what it leaves there
//	local.go   what is in the clone alone
//	remote.go  what the remote has
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
	Plan     *plan.Plan
	Way      Way
	Commit   string              // of the release; "" where there is none
	Uploaded []publish.Published // for NoReturn
	Running  string              // a CI run that may be uploading; "" where none is known
	Unseen   error               // why nobody here sees what the channel has, where its upload was not begun as far as that is known; else nil
	Absent   bool                // the channel is not there for who has our credential either
	Recorded bool                // this clone has its journal: whether it made a commit is known
	Parts    Parts               // of Local and Remote

	refs    gitremote.Refs
	landing *github.Pull // that Parts.Landed is of
	past    *trace.Past
	trace   *trace.Trace
}

// Undo is what works a way back out, and takes it.
type Undo struct {
	Trace *trace.Trace // where it is looked; its plan is found out
	Tool  string       // version of this program
}

// Find works out how the unfinished release can be taken back. The caller has the lock.
func (u *Undo) Find(ctx context.Context) (*Back, error) {
	past, err := trace.Last(u.Trace.State)
	if err != nil {
		return nil, err
	}
	if past == nil || past.End != "" {
		present, err := u.Trace.FindPresent(ctx, bump.Request{})
		if err != nil {
			return nil, err
		}
		if past = present.Past(); present.Unasked != nil {
			return nil, operr.New(operr.NextOf(present.Unasked)+"; then undo again", "no release is unfinished in this clone, and whether one of another clone is cannot be told: %w", present.Unasked)
		}
	}
	if past == nil || past.End == trace.Released {
		return nil, operr.New("`mage status` says what there is", "no release is unfinished: there is nothing to undo")
	}
	b := &Back{Plan: past.Plan, Recorded: past.Path != "", past: past, trace: u.Trace.Of(past)}
	if b.refs, err = gitremote.Read(ctx, b.trace.Repo, b.Plan.Remote); err != nil {
		return nil, err
	}
	if b.Commit, err = b.trace.Pushed(ctx, b.refs); err != nil {
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

// findUploaded finds out what of the release is out, where its tags are on the remote: nothing is uploaded before. Where those are
// somebody else's, it has uploaded something only if its journal comes to that.
func (b *Back) findUploaded(ctx context.Context) error {
	if b.Commit == "" {
		return nil
	}
	sent, err := b.trace.Sent(ctx, b.refs)
	if err != nil {
		return err
	}
	if sent || b.trace.Past.HasBegun(trace.StepPublish) {
		h, err := b.trace.Look(ctx, b.Commit)
		if err != nil {
			return err
		}
		b.Uploaded, b.Unseen, b.Absent = b.trace.Uploaded(h), h.Unseen, !h.Exists && h.Unseen == nil
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

// Same reports whether another look found the way back that a person agreed to.
func (b *Back) Same(other *Back) bool { return b.Way == other.Way && b.Parts.same(other.Parts) }

// Refuse is why the way back cannot be taken now; nil where it can.
func (b *Back) Refuse() error {
	if b.Running == "" {
		return nil
	}
	return operr.NewStopped("cancel that run, and undo again", "a CI run may be uploading right now: %s", b.Running)
}

// Take takes the way back, and says what it did. Each of its parts may be done again, so that an undo that was killed is run again.
func (u *Undo) Take(ctx context.Context, b *Back) (said []string, err error) {
	switch b.Way {
	case NoReturn:
		return []string{b.Plan.Title + " is given up; what is on the channel stays"}, u.finish(b, trace.Abandoned)
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
		return []string{"nothing of " + b.Plan.Title + " was done yet"}, u.finish(b, trace.Undone)
	}
	if err := b.checkGone(ctx); err != nil {
		return said, err
	}
	at, err := b.ended(ctx)
	if err != nil {
		return said, err
	}
	return append(said, at), u.finish(b, trace.Undone)
}

// finish writes the end down.
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
