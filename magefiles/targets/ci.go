package targets

import (
	"context"
	"strings"

	"github.com/magefile/mage/mg"

	"github.com/foopack/foopack/magefiles/internal/actions/starts"
	"github.com/foopack/foopack/magefiles/internal/cirun"
	"github.com/foopack/foopack/magefiles/internal/ciwrite"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/touched"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// CI is about workflow files and what they run.
type CI mg.Namespace

// Triggers shows what a push starts on GitHub. It says which workflow files start, and why not the others; nothing is pushed. For example: `mage
// ci:triggers`, `mage ci:triggers -ref=v1.2.0`.
func (CI) Triggers(ctx context.Context,
	ref *string, // what is pushed: tags and branches, with spaces between them; default: the branch that is checked out
	since *string, // the commit that a branch is at on the remote; default: as this clone knows it
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		repo, err := gitrepo.Open(ctx, a.runner, w.Root)
		if err != nil {
			return err
		}
		push := starts.Push{Repo: repo, Remote: w.Config.Remote, Refs: strings.Fields(orZero(ref)), Since: orZero(since)}
		return answer(a, isSet(json), func() (starts.Answer, error) { return push.Ask(ctx) }, a.view.Starts)
	})
}

// Matrix prints what a change touches. It has the packages, what depends on them, and their tasks; for a job, as outputs matrix and any. For example:
// `mage ci:matrix -since=main`, `mage ci:matrix -since=HEAD~1 -json`.
func (CI) Matrix(ctx context.Context,
	since *string, // a commit: what changed since; default: what the event of the job names
	needs *string, // in the last job of a workflow: fail unless the jobs of this toJSON(needs) passed or were skipped
	json *bool, // print one JSON object
) error {
	if needs != nil {
		return touched.Judge(*needs)
	}
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		repo, err := gitrepo.Open(ctx, a.runner, w.Root)
		if err != nil {
			return err
		}
		r := touched.Request{Repo: repo, Since: orZero(since), Event: jobEvent()}
		return answer(a, isSet(json), func() (touched.Work, error) { return r.Work(ctx, w, setOutput) }, a.view.Work)
	})
}

// Write writes the workflow files. They are made for this workspace: ci.yml, release.yml, one for each image, deploy.yml. For example: `mage ci:write`,
// `mage ci:write -diff`.
func (CI) Write(ctx context.Context,
	diff *bool, // show what would change, and write nothing
	json *bool, // print one JSON object
) error {
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		var result ciwrite.Result
		err := answer(a, isSet(json), func() (ciwrite.Result, error) {
			var err error
			result, err = ciwrite.Write(ctx, a.runner, w, isSet(diff))
			return result, err
		}, func(r ciwrite.Result) { r.Show(a.view) })
		if err != nil || isSet(diff) {
			return err
		}
		return result.Refused()
	})
}

// Run runs a workflow file on this machine. It is that of the commit that is checked out, with stand-ins for actions and secrets. For example: `mage
// ci:run ci.yml`, `mage ci:run release.yml -ref=v1.2.3 -job=build`.
func (CI) Run(ctx context.Context, file string,
	event *string, // what starts the workflow: push (default), pull_request, workflow_dispatch and others
	ref *string, // what is pushed: tags and branches, with spaces between them; here one of them, default: the branch that is checked out
	job *string, // one job, with those that it needs
	inputs *string, // of workflow_dispatch, as JSON
	payload *string, // a file with the event as JSON, as a webhook has it
	fork *bool, // the pull request comes from a fork: no secret, and a token that reads
	what *bool, // say what the file needs, and run nothing
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		c := cirun.Config{Runner: a.runner, Environ: a.runner.Environ(), Dir: a.dir, View: a.view}
		if w, err := workspace.Load(a.dir); err == nil { // it runs files of anyone's, who may have none
			c.StandIns = w.Config.Actions
		}
		return cirun.Run(ctx, c, cirun.Flags{
			File:    file,
			Event:   orZero(event),
			Ref:     orZero(ref),
			Job:     orZero(job),
			Inputs:  orZero(inputs),
			Payload: orZero(payload),
			Fork:    isSet(fork),
			What:    isSet(what),
		})
	})
}
