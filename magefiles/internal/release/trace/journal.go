package trace

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// The names of the steps, in their order, by which journals and people know them.
const (
	StepPreflight = "preflight"
	StepPlan      = "plan"
	StepAgree     = "agree"
	StepCommit    = "bump and commit"
	StepCheck     = "check"
	StepBuild     = "build"
	StepImport    = "import"
	StepTag       = "tag"
	StepPush      = "push"
	StepPublish   = "publish"
	StepVisible   = "visible"
	StepVerify    = "verify"
	StepHub       = "GitHub release"
)

// The ends of a release.
const (
	Released  session.End = "released"
	Undone                = session.Undone    // commit and tag were taken back
	Abandoned             = session.Abandoned // it cannot be taken back, and is not to be completed
)

// Past is what a journal has of a release.
type Past struct {
	*session.Past[*plan.Plan]
}

// Kind is that of releases whose journals are in a state folder.
func Kind(state string) *session.Kind[*plan.Plan] {
	return &session.Kind[*plan.Plan]{
		Name:     "release",
		Dir:      state,
		Done:     Released,
		Readable: (*plan.Plan).Readable,
		Type: session.Commands{
			Run:    "mage release",
			Status: "mage status",
			Undo:   "mage undo",
		},
	}
}

// Lock takes the clone for this process's release, by a folder that all its work trees share: branches, tags and the remote
// are theirs together. It is for operr.Stopped that another one has it. killed is when the process before this one took it, if
// that ended without giving it back.
func Lock(state string) (unlock func(), killed time.Time, err error) { return Kind(state).Lock() }

// Last returns the release that was begun last in this clone; nil where there is none.
func Last(state string) (*Past, error) {
	past, err := Kind(state).Last()
	if past == nil || err != nil {
		return nil, err
	}
	return &Past{Past: past}, nil
}

// Unfinished is the release that the journal of a clone has begun and not ended; nil where there is none.
func Unfinished(state string) (*Past, error) {
	past, err := Last(state)
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	return past, nil
}

// findEnd says how the journals of this clone say that the release of these tags, at this commit, has ended; "" where they do not.
func (t *Trace) findEnd(p *plan.Plan) (end session.End, err error) {
	all, err := Kind(t.State).All()
	for _, one := range all {
		past := &Past{Past: one}
		if commit := past.Commit(); slices.Equal(past.Plan.Tags, p.Tags) && (commit == "" || commit == p.Base) {
			end = past.End
		}
	}
	return end, err
}

// CopyTo writes the journal to another path, as that of the same release for another channel.
func (p *Past) CopyTo(path, channel string) error {
	copied := *p.Plan
	copied.Channel = channel
	return Kind("").Copy(p.Past, path, &copied)
}

// HasBegun reports whether a step was begun by this release. Where there is no journal (nil), nothing is known to be begun.
func (p *Past) HasBegun(step string) bool { return p != nil && p.Began(step) }

// hasEnded reports whether a step was ended by this release, or found to be as it should.
func (p *Past) hasEnded(step string) bool { return p != nil && p.Did(step) }

// LeftOff reports whether a step was begun last and has neither ended nor failed: it was killed.
func (p *Past) LeftOff(step string) (left bool) {
	if p == nil {
		return false
	}
	for _, event := range p.Events {
		if event.Step == step {
			left = event.Kind == workflow.Started
		}
	}
	return left
}

// refused reports whether each upload of this release that was begun has failed, and the channel has taken nothing of it.
func (p *Past) refused() bool {
	begun, refused := 0, 0
	for _, event := range p.Events {
		var r publish.Refusal
		switch {
		case event.Step != StepPublish:
		case event.Kind == workflow.Started:
			begun++
		case event.Kind == workflow.Failed && json.Unmarshal(event.Result, &r) == nil && r.Refused:
			refused++
		}
	}
	return begun == refused
}

// Commit is the release's, as far as the journal knows; "" where it knows of none.
func (p *Past) Commit() string {
	var last Commit
	for _, event := range p.Events {
		if event.Step == StepCommit && (event.Kind == workflow.Done || event.Kind == workflow.Found) && json.Unmarshal(event.Result, &last) != nil {
			last = Commit{}
		}
	}
	return last.Hash
}

// Released reports whether the journal knows a commit as the one that is released: as it was made, or as it was found after
// people had put others on top of it, or below.
func (p *Past) Released(commit string) bool {
	return commit != "" && slices.Contains(p.commits(), commit)
}

// commits are all that the journal has recorded as the one that is released.
func (p *Past) commits() (all []string) {
	for _, event := range p.Events {
		var c Commit
		if event.Step == StepCommit && json.Unmarshal(event.Result, &c) == nil && c.Hash != "" {
			all = append(all, c.Hash)
		}
	}
	return all
}

// Accepts refuses a request for another release than this one, which is unfinished. The same words as before mean it.
func (p *Past) Accepts(asked bump.Request) error {
	planned := p.Plan.Bump.Request
	if asked.To != "" && !p.Plan.Answers(asked) && (asked.To != planned.To || asked.Only != planned.Only) {
		return p.Plan.RefuseOther(asked.To)
	}
	return nil
}
