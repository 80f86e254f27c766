package release

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Left is what is left to do of a release that is gone on with.
type Left struct {
	Commit   string   // full hash of the release's commit; "" where there is none yet
	Done     []string // steps that its journal has as done, in their order; nil where this clone has no journal of it
	ToDo     []string // the others
	OnTheWay bool     // its tag is on the remote: where a CI publishes, that may be uploading

	Files    int   // artifacts that the release has
	Uploaded int   // of these, how many are on the channel: from the first on it cannot be taken back
	Unseen   error // why it cannot be told how many those are; nil where it is known
}

// steps are those that a person thinks of as the release: what is asked before it is none.
var steps = []string{
	trace.StepCommit, trace.StepCheck, trace.StepBuild, trace.StepImport, trace.StepTag, trace.StepPush, trace.StepPublish, trace.StepVisible,
	trace.StepVerify, trace.StepHub,
}

// left looks what is left to do of the release of t, which was begun.
func left(ctx context.Context, t *trace.Trace) (*Left, error) {
	l := &Left{Files: len(t.Plan.Packages)}
	if t.Past == nil {
		l.ToDo = steps[slices.Index(steps, trace.StepPublish):] // its tags are on the remote, by which it was found
	} else {
		for _, name := range steps {
			if done(t.Past.Events, name) {
				l.Done = append(l.Done, name)
			} else {
				l.ToDo = append(l.ToDo, name)
			}
		}
	}
	commit, _, err := t.Committed(ctx)
	if err != nil {
		return nil, err
	}
	l.Commit = commit.Hash
	l.OnTheWay = commit.Where == t.Plan.Remote
	if !l.OnTheWay {
		return l, nil // nothing is uploaded before
	}
	h, err := t.Look(ctx, l.Commit)
	if err == nil {
		err = h.Unseen
	}
	l.Uploaded, l.Unseen = len(t.Uploaded(h)), err
	return l, nil
}

// done reports whether the last that was kept of a step is that it is done.
func done(events []workflow.Event, step string) bool {
	is := false
	for _, e := range events {
		if e.Step == step {
			is = e.Kind == workflow.Done || e.Kind == workflow.Found || e.Kind == workflow.Skipped
		}
	}
	return is
}
