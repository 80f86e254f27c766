package delivery

import (
	"context"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/begun"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// deployStep is the name of the step that brings an image to an environment, and approveStep that of the question before it.
func deployStep(environment string) string { return begun.DeployTo(environment) }

func approveStep(environment string) string { return "approve " + environment }

// Approval is what a person said yes to.
type Approval struct {
	Digest string `json:"digest"`
}

// Deployed is what all hosts of an environment run.
type Deployed struct {
	Digest string `json:"digest"`
}

// defineApproval asks before an environment gets what another one runs. It is for one digest, and in this clone alone.
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
			err := d.Approve(ctx, "Deploy to "+stage.Name()+" what runs on "+stage.After()+" ("+short(hash(image.Get().Digest))+")?")
			return Approval{Digest: image.Get().Digest}, err
		},
		Say:   func(a Approval) string { return short(hash(a.Digest)) },
		Waits: true,
	}
}

// defineStage brings the image to an environment.
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

// hash is a digest without the name of its algorithm.
func hash(digest string) string {
	_, hex, _ := strings.Cut(digest, ":")
	return hex
}
