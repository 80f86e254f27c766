package targets

import (
	"context"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/cirun"
)

// CI is about workflow files and what they run.
type CI mg.Namespace

// Run runs a workflow file of the commit that is checked out, on this machine, with stand-ins for actions and secrets.
func (CI) Run(ctx context.Context, file string,
	event *string, // what starts the workflow: push (default), pull_request, workflow_dispatch and others
	ref *string, // what is pushed: tags and branches, with spaces between them; here one of them, default: the branch that is checked out
	job *string, // one job, with those that it needs
	inputs *string, // of workflow_dispatch, as JSON
	payload *string, // a file with the event as JSON, as a webhook has it
	fork *bool, // the pull request comes from a fork: no secret, and a token that reads
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		c := cirun.Config{Runner: a.runner, Environ: a.runner.Environ(), Dir: a.dir, View: a.view}
		return cirun.Run(ctx, c, cirun.Flags{
			File:    file,
			Event:   orZero(event),
			Ref:     orZero(ref),
			Job:     orZero(job),
			Inputs:  orZero(inputs),
			Payload: orZero(payload),
			Fork:    isSet(fork),
		})
	})
}
