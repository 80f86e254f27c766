package release

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/release/preflight"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/workflow"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// definePreflight defines the step that runs the preflight checks. For a new release it also computes the plan.
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

// definePlan defines the step that shows the plan.
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

// defineAgree defines the step that asks the user to confirm the plan, and begins the journal.
func (r *Release) defineAgree(before *trace.Trace, planned given[*plan.Plan], s *session.Session[*plan.Plan]) workflow.Step[string] {
	return workflow.Step[string]{
		Name: trace.StepAgree,
		Do: func(ctx context.Context) (string, error) {
			var rest *Left
			if before.Plan != nil && (before.Past != nil || !before.Plan.Landed) { // a landed release without a journal has not begun yet
				var err error
				if rest, err = findLeft(ctx, before); err != nil {
					return "", err
				}
			}
			if err := r.refuseNoCI(ctx, planned.Get(), rest); err != nil {
				return "", err
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

// refuseNoCI returns an error if there is no sign of the CI that should publish: it has no workflow file, no setting or flag names it, and it has
// uploaded nothing. Adding the file now would not help, because the tag points to an earlier commit.
func (r *Release) refuseNoCI(ctx context.Context, p *plan.Plan, rest *Left) error {
	mayHaveSent := rest != nil && (rest.Uploaded > 0 || rest.Unseen != nil)
	if !r.doubtful || r.By(p) != settings.PublishCI || mayHaveSent {
		return nil
	}
	w, err := workspace.Load(r.Root)
	if err != nil {
		return err
	}
	if none := r.GitHub.FindNoCI(ctx, r.Repo, r.Repo.Top, p.Remote); none.Lacks != "" && !w.Config.PublishSet {
		return operr.New("run `mage release -publish=here` to publish from this machine, or, if a CI publishes after all, `mage release -publish=ci` to wait for the CI",
			"nothing would publish %s: %s", p.Title, none.Lacks).WithWayOn()
	}
	return nil
}
