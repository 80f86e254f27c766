package release

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Left describes the remaining work of a continued release.
type Left struct {
	Commit   string   // full hash of the release commit; "" if there is none yet
	Done     []string // completed steps, in order; nil if this clone has no journal of the release
	ToDo     []string // remaining steps
	OnTheWay bool     // the tag is on the remote, so a CI may already be uploading

	Files    int   // number of artifacts of the release
	Uploaded int   // number of them on the channel; the release cannot be undone if it is not 0
	Unseen   error // why Uploaded is unknown; nil if it is known
}

// steps lists the steps that Left includes: all except those before the commit, which only ask and check.
var steps = []string{
	trace.StepCommit, trace.StepCheck, trace.StepBuild, trace.StepImport, trace.StepTag, trace.StepPush, trace.StepPublish, trace.StepVisible,
	trace.StepVerify, trace.StepHub,
}

// findLeft describes the remaining work of the release that t describes.
func findLeft(ctx context.Context, t *trace.Trace) (*Left, error) {
	l := &Left{Files: len(t.Plan.Packages)}
	if t.Past == nil {
		l.ToDo = steps[slices.Index(steps, trace.StepPublish):] // the release was found through its tags on the remote
	} else {
		for _, name := range steps {
			if done(t.Past.Events, name) {
				l.Done = append(l.Done, name)
			} else {
				l.ToDo = append(l.ToDo, name)
			}
		}
	}
	commit, _, err := t.FindOwnCommit(ctx)
	if err != nil {
		return nil, err
	}
	l.Commit = commit.Hash
	l.OnTheWay = commit.Where == t.Plan.Remote
	if !l.OnTheWay {
		return l, nil // nothing is uploaded before the push
	}
	h, err := t.Look(ctx, l.Commit)
	if err == nil {
		err = h.Unseen
	}
	l.Uploaded, l.Unseen = len(t.ListUploaded(h)), err
	return l, nil
}

// `done` reports whether a step's last event marks it as done.
func done(events []workflow.Event, step string) bool {
	is := false
	for _, e := range events {
		if e.Step == step {
			is = e.Kind == workflow.Done || e.Kind == workflow.Found || e.Kind == workflow.Skipped
		}
	}
	return is
}
