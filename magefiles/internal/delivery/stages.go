package delivery

import (
	"context"
	"errors"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// deployStep returns the name of an environment's deployment step, and approveStep the name of the confirmation before it.
func deployStep(environment string) string { return begun.DeployTo(environment) }

func approveStep(environment string) string { return "approve " + environment }

// Approval records what the user has approved.
type Approval struct {
	Digest string `json:"digest"`
}

// Deployed records what all hosts of an environment run.
type Deployed struct {
	Digest string `json:"digest"`
}

// defineApproval returns the step that asks for confirmation before an image moves on from one environment to the next. An approval is valid for
// one digest, and only in this clone.
func (d *Delivery) defineApproval(stage Stage, image given[survey.Image]) workflow.Step[Approval] {
	return workflow.Step[Approval]{
		Name: approveStep(stage.Name()),
		Check: func(ctx context.Context, recorded *Approval) (Approval, bool, error) {
			is := Approval{Digest: image.Get().Digest}
			if recorded != nil && *recorded == is {
				return is, true, nil
			}
			runs, _, err := stage.Runs(ctx, image.Get())
			return is, runs, err
		},
		Do: func(ctx context.Context) (Approval, error) {
			digest := image.Get().Digest
			err := d.Approve(ctx, "Deploy to "+stage.Name()+" what runs on "+stage.After()+" ("+short(hash(digest))+")?")
			return Approval{Digest: digest}, notApproved(err, stage, digest)
		},
		Say:   func(a Approval) string { return short(hash(a.Digest)) },
		Waits: true,
	}
}

// unapproved is the error for a confirmation before a later environment that was declined, or could not be requested.
type unapproved struct{ error }

func (u *unapproved) Unwrap() error { return u.error }

// notApproved adds to a confirmation's error which environment already runs the image.
func notApproved(err error, stage Stage, digest string) error {
	again := "`mage deliver`"
	switch {
	case errors.Is(err, operr.ErrNobody):
		again = "`mage deliver -yes`"
	case !errors.Is(err, operr.ErrDeclined):
		return err
	}
	next := "run " + again + " to continue the delivery, or `mage deliver -undo` to undo the delivery"
	return &unapproved{error: operr.NotAgreed(err, "not deployed to "+stage.Name(), stage.After()+" runs "+short(hash(digest)), next)}
}

// defineStage returns the step that deploys the image to an environment.
func (d *Delivery) defineStage(stage Stage, image given[survey.Image]) workflow.Step[Deployed] {
	return workflow.Step[Deployed]{
		Name: deployStep(stage.Name()),
		Check: func(ctx context.Context, _ *Deployed) (Deployed, bool, error) {
			runs, _, err := stage.Runs(ctx, image.Get())
			return Deployed{Digest: image.Get().Digest}, runs, err
		},
		Do: func(ctx context.Context) (Deployed, error) {
			return Deployed{Digest: image.Get().Digest}, stage.Deploy(ctx, image.Get())
		},
		Say: func(d Deployed) string { return short(hash(d.Digest)) + " on all hosts" },
	}
}

// hash returns a digest without the algorithm prefix.
func hash(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex
}
