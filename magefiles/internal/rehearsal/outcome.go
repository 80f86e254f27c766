package rehearsal

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// release makes the release, and reads its journal.
func (r *run) release(ctx context.Context) error {
	if r.landsByPull() {
		ended, err := r.land(ctx)
		if ended || err != nil {
			r.report.Jobs = r.world.Jobs()
			r.takeRuns()
			return err
		}
	}
	args, err := r.arguments(ctx)
	if err != nil {
		return err
	}
	err = r.runRelease(ctx, args)
	past, perr := trace.Last(filepath.Join(r.clone, ".git", folders.State))
	if past != nil {
		r.report.Release, r.report.Released = past.Plan.Title, string(past.End)
		r.report.About.Read(past)
		r.takeSteps(past)
	}
	r.report.Jobs = r.world.Jobs()
	r.takeRuns()
	if n := len(r.report.Jobs); err != nil && n > 0 && !r.report.Jobs[n-1].OK {
		return withDetail(err, "output of the CI's job:\n"+r.report.Jobs[n-1].Log)
	}
	return errors.Join(err, perr)
}

func withDetail(err error, detail string) error { return operr.New("", "%w", err).WithDetail(detail) }

// arguments returns the arguments of `mage release`, as a user would pass them.
func (r *run) arguments(ctx context.Context) ([]string, error) {
	args, err := r.requestArgs(ctx)
	return append([]string{"release", "-publish=" + r.by()}, args...), err
}

// requestArgs returns the arguments for the requested release. With faults or pull requests, -to is an exact version instead of the kind of step,
// because all runs must make the same release.
func (r *run) requestArgs(ctx context.Context) ([]string, error) {
	args := []string{"-yes"}
	if to := r.Request.To; to != "" {
		if (r.Seed != 0 || r.landsByPull()) && r.unfinished == nil {
			p, err := bump.New(ctx, r.w, r.Request, r.History(r.source))
			if err != nil {
				return nil, err
			}
			if len(p.Tags) == 1 {
				to = p.Tags[0].Name[strings.LastIndexByte(p.Tags[0].Name, 'v')+1:]
			}
		}
		args = append(args, "-to="+to)
	}
	if r.Request.Only != "" {
		args = append(args, "-only="+r.Request.Only)
	}
	if r.Request.Raise {
		args = append(args, "-ranges=raise")
	}
	return args, nil
}

// takeSteps copies the release's steps to the report.
func (r *run) takeSteps(past *trace.Past) {
	began := time.Time{}
	for i, event := range past.Events {
		at := past.Times[i]
		if event.Kind == workflow.Started {
			continue
		}
		s := StepReport{Name: event.Step, Of: "release", Event: string(event.Kind), Began: at.Add(-event.Took), Took: event.Took, Evidence: event.Evidence}
		s.Log = r.said.Of(event.Step)
		if event.Kind == workflow.Failed {
			s.Evidence = event.Error
		}
		if s.Began.Before(began) {
			s.Began = began
		}
		began = at
		r.report.Steps = append(r.report.Steps, s)
		r.takeResult(event)
	}
}

func (r *run) takeResult(event workflow.Event) {
	var sent release.Sent
	var proof release.Proof
	switch {
	case event.Step == trace.StepPublish && json.Unmarshal(event.Result, &sent) == nil && sent.Items != nil:
		r.report.Packages = sent.Items
	case event.Step == trace.StepVerify && json.Unmarshal(event.Result, &proof) == nil && proof.Unsolved:
		r.missing("a conda solve of the environment", "there is no pixi here, so dependencies came from PyPI, and the artifacts' own files were linked")
	}
}
