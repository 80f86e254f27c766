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

// The step names, in order. Journals contain them, and users see them.
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

// The ways in which a release can end.
const (
	Released  session.End = "released"
	Undone                = session.Undone    // the commit and the tags were removed
	Abandoned             = session.Abandoned // the release was given up: it cannot be undone, and will not be completed
)

// Past is a release as its journal records it.
type Past struct {
	*session.Past[*plan.Plan]
}

// Kind returns the session kind for releases with journals in the given folder.
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

// Lock locks the clone for a release by this process. All work trees of the clone share the lock, because they share branches, tags and the remote.
// If another process holds it, the error has the status operr.Stopped. If the previous process ended without releasing the lock, killed is the time
// at which it took it.
func Lock(state string) (unlock func(), killed time.Time, err error) { return Kind(state).Lock() }

// Last returns the most recently begun release of this clone; nil if there is none.
func Last(state string) (*Past, error) {
	past, err := Kind(state).Last()
	if past == nil || err != nil {
		return nil, err
	}
	return &Past{Past: past}, nil
}

// FindUnfinished returns the release that has begun and not ended according to the journals; nil if there is none.
func FindUnfinished(state string) (*Past, error) {
	past, err := Last(state)
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	return past, nil
}

// findEnd returns how the release with these tags at this commit ended according to the clone's journals, or "".
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

// CopyTo writes a copy of the journal to path, for the same release on another channel.
func (p *Past) CopyTo(path, channel string) error {
	copied := *p.Plan
	copied.Channel = channel
	return Kind("").Copy(p.Past, path, &copied)
}

// HasBegun reports whether the journal records that a step was begun. It returns false if p is nil, since then there is no journal.
func (p *Past) HasBegun(step string) bool { return p != nil && p.Began(step) }

// hasEnded reports whether the journal records that a step was completed or found done.
func (p *Past) hasEnded(step string) bool { return p != nil && p.Did(step) }

// LeftOff reports whether the last event of a step is its start, which means that the step was killed.
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

// refused reports whether all upload attempts failed because the channel rejected every file.
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

// Commit returns the release's commit according to the journal, or "".
func (p *Past) Commit() string {
	var last Commit
	for _, event := range p.Events {
		if event.Step == StepCommit && (event.Kind == workflow.Done || event.Kind == workflow.Found) && json.Unmarshal(event.Result, &last) != nil {
			last = Commit{}
		}
	}
	return last.Hash
}

// Released reports whether the journal has recorded a commit as the one that is released. It records the commit when it is made, and again if it has
// another hash later, for example after a rebase.
func (p *Past) Released(commit string) bool {
	return commit != "" && slices.Contains(p.commits(), commit)
}

// commits returns all hashes that the journal has recorded for the release commit.
func (p *Past) commits() (all []string) {
	for _, event := range p.Events {
		var c Commit
		if event.Step == StepCommit && json.Unmarshal(event.Result, &c) == nil && c.Hash != "" {
			all = append(all, c.Hash)
		}
	}
	return all
}

// Accepts returns an error if a request is for another release than this unfinished one. The original request is accepted.
func (p *Past) Accepts(asked bump.Request) error {
	planned := p.Plan.Bump.Request
	if asked.To != "" && !p.Plan.Answers(asked) && (asked.To != planned.To || asked.Only != planned.Only) {
		return p.Plan.RefuseOther(asked.To)
	}
	return nil
}
