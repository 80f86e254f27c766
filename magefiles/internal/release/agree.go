package release

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/release/preflight"
)

// ask is preflight. Where no release is gone on with it works out the plan.
func (r *Release) ask(ctx context.Context, _ *preflight.Facts) (preflight.Facts, bool, error) {
	facts, planned, err := r.asks.Ask(ctx, r.Trace())
	if err != nil {
		return facts, false, err
	}
	r.plan = planned
	return facts, true, nil
}

// isPlanned shows what the plan is.
func (r *Release) isPlanned(context.Context, *string) (string, bool, error) {
	if r.plan == nil {
		return "", false, operr.New("", "there is no plan")
	}
	return r.plan.Describe(r.By()), true, nil
}

// By is who publishes.
func (r *Release) By() string { return r.Trace().By() }

// agree asks, and begins the journal.
func (r *Release) agree(ctx context.Context) (string, error) {
	if err := r.Confirm(ctx, r.plan); err != nil {
		return "", err
	}
	return "yes", r.session.Agree(r.plan)
}
