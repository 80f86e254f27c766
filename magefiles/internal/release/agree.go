package release

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/preflight"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// definePreflight is asked in every run. Where no release is gone on with it works out the plan.
func (r *Release) definePreflight(find *finder, setPlan func(*plan.Plan)) workflow.Step[preflight.Facts] {
	asks := preflight.Preflight{
		Request:      r.Request,
		History:      r.History,
		Tools:        r.Tools,
		Environments: r.environments(),
		Readable:     r.Readable,
		Fetching:     r.Fetching,
		Say:          r.Say,
	}
	return workflow.Step[preflight.Facts]{
		Name: trace.StepPreflight,
		Check: func(ctx context.Context, _ *preflight.Facts) (preflight.Facts, bool, error) {
			facts, p, err := asks.Ask(ctx, find.trace())
			if err != nil {
				return facts, false, err
			}
			setPlan(p)
			return facts, true, nil
		},
		Say: preflight.Facts.String,
	}
}

// definePlan shows what the plan is.
func (r *Release) definePlan(planned given[*plan.Plan]) workflow.Step[string] {
	return workflow.Step[string]{
		Name: trace.StepPlan,
		Check: func(context.Context, *string) (string, bool, error) {
			if !planned.Known() {
				return "", false, operr.New("", "there is no plan")
			}
			p := planned.Get()
			return p.Describe(r.By(p)), true, nil
		},
		Say: echo,
	}
}

// defineAgree asks, and begins the journal.
func (r *Release) defineAgree(before *trace.Trace, planned given[*plan.Plan], s *session.Session[*plan.Plan]) workflow.Step[string] {
	return workflow.Step[string]{
		Name: trace.StepAgree,
		Do: func(ctx context.Context) (string, error) {
			var rest *Left
			if before.Plan != nil && (before.Past != nil || !before.Plan.Landed) { // nothing of what has landed is begun yet
				var err error
				if rest, err = left(ctx, before); err != nil {
					return "", err
				}
			}
			if err := r.Confirm(ctx, planned.Get(), rest); err != nil {
				return "", err
			}
			return "yes", s.Agree(planned.Get())
		},
		Say:   echo,
		Waits: true,
	}
}
