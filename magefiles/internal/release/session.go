package release

import (
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
)

// The ends of a release.
const (
	Released  session.End = "released"
	Undone                = session.Undone    // commit and tag were taken back
	Abandoned             = session.Abandoned // it cannot be taken back, and is not to be completed
)

// Past is what a journal has of a release.
type Past struct {
	*session.Past[*Plan]
}

// kind is that of releases whose journals are in a state folder.
func kind(state string) *session.Kind[*Plan] {
	return &session.Kind[*Plan]{
		Name:     "release",
		Dir:      state,
		Done:     Released,
		Readable: (*Plan).readable,
		Type:     session.Commands{Run: "mage release", Status: "mage status", Undo: "mage undo"},
	}
}

// readable refuses the plan of a journal that this version cannot read.
func (p *Plan) readable(tool string) error {
	if p.Format != planFormat {
		return operr.NewStopped("continue it with the version of this tool that began it ("+tool+")", "the plan is of another format")
	}
	return nil
}

// Label names the release.
func (p *Plan) Label() string { return p.Title }

// Lock takes the clone for this process's release, by a folder that all its work trees share: branches, tags and the remote
// are theirs together. It is for operr.Stopped that another one has it. killed is when the process before this one took it, if
// that ended without giving it back.
func Lock(state string) (unlock func(), killed time.Time, err error) { return kind(state).Lock() }

// Last returns the release that was begun last in this clone; nil where there is none.
func Last(state string) (*Past, error) {
	past, err := kind(state).Last()
	if past == nil || err != nil {
		return nil, err
	}
	return &Past{Past: past}, nil
}

// ended is how the journals of this clone say that the release of these tags, at this commit, has ended; "" where they do not.
func (r *Release) ended(p *Plan) (end session.End, err error) {
	all, err := kind(r.State).All()
	for _, one := range all {
		past := &Past{Past: one}
		if commit := past.commit(); slices.Equal(past.Plan.Tags, p.Tags) && (commit == "" || commit == p.Base) {
			end = past.End
		}
	}
	return end, err
}

// CopyTo writes the journal to another path, as that of the same release for another channel.
func (p *Past) CopyTo(path, channel string) error {
	plan := *p.Plan
	plan.Channel = channel
	return kind("").Copy(p.Past, path, &plan)
}

// newSession is a session of this release.
func (r *Release) newSession() *session.Session[*Plan] {
	k := kind(r.State)
	k.Tool = r.Tool
	return k.New()
}
