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

// Triggers shows what a push starts on GitHub. It lists the workflow files that would start, and why the others would not. Nothing is pushed. For
// example: `mage ci:triggers`, `mage ci:triggers -ref=v1.2.0`. Exit statuses: mage help ci:triggers.
func (CI) Triggers(ctx context.Context,
	ref *string, // tags and branches that are pushed, separated by spaces; default: the branch that is checked out
	since *string, // the commit that a branch is at on the remote; default: as this clone last saw it
	json *bool, // print one JSON object
) error {
	return inWorkspace(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		repo, err := gitrepo.Open(ctx, a.runner, w.Root)
		if err != nil {
			return err
		}
		push := starts.Push{Repo: repo, Remote: w.Config.Remote, Refs: strings.Fields(orZero(ref)), Since: orZero(since)}
		return answer(a, isSet(json), func() (starts.Answer, error) { return push.Ask(ctx) }, func(r starts.Answer) {
			a.view.Starts(r)
			a.next(ctx, r.Next())
		})
	})
}

// Matrix prints what a change touches. It lists the packages, their dependents, and the tasks of both. In a job, it sets the outputs matrix and any.
// For example: `mage ci:matrix -since=main`, `mage ci:matrix -since=HEAD~1 -json`. Exit statuses: mage help ci:matrix.
func (CI) Matrix(ctx context.Context,
	since *string, // the commit to compare with; default: the commit that the job's event names
	needs *string, // toJSON(needs), in the last job of a workflow: fail unless these jobs passed or were skipped
	json *bool, // print one JSON object
) error {
	if needs != nil {
		return run(ctx, func(context.Context, *pipeline) error { return touched.Judge(*needs) })
	}
	return inPackages(ctx, func(ctx context.Context, a *pipeline, w *workspace.Workspace) error {
		repo, err := gitrepo.Open(ctx, a.runner, w.Root)
		if err != nil {
			return err
		}
		r := touched.Request{Repo: repo, Since: orZero(since), Event: jobEvent()}
		return answer(a, isSet(json), func() (touched.Work, error) { return r.Work(ctx, w, setOutput) }, func(found touched.Work) {
			a.view.Work(found)
			a.next(ctx, found.Next())
		})
	})
}

// Write writes the workflow files. They are made for this workspace: ci.yml, release.yml, a file for each image, and deploy.yml. For example: `mage
// ci:write`, `mage ci:write -diff`. Exit statuses: mage help ci:write.
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
		if err == nil && !isSet(diff) {
			err = result.RefusalError()
		}
		if err == nil && !isSet(json) {
			a.next(ctx, result.Next())
		}
		return err
	})
}

// Run runs a workflow file on this machine. The file comes from the commit that is checked out. Stand-ins replace actions and secrets. For example:
// `mage ci:run ci.yml`, `mage ci:run release.yml -ref=v1.2.3 -job=build`. Exit statuses: mage help ci:run.
func (CI) Run(ctx context.Context, file string,
	event *string, // the event that starts the workflow: push (default), pull_request, workflow_dispatch and others
	ref *string, // tags and branches that are pushed, separated by spaces; ci:run takes only one; default: the branch that is checked out
	job *string, // one job, with the jobs that it needs
	inputs *string, // inputs of workflow_dispatch, as JSON
	payload *string, // a file with the event's payload, the JSON that a webhook gets
	fork *bool, // the pull request comes from a fork, so jobs get no secrets and only a read-only token
	what *bool, // print what the file needs, and run nothing
	json *bool, // print one JSON object
) error {
	return run(ctx, func(ctx context.Context, a *pipeline) error {
		c := cirun.Config{Runner: a.runner, Environ: a.runner.Environ(), Dir: a.dir, View: a.view}
		f := cirun.Flags{
			File:    file,
			Event:   orZero(event),
			Ref:     orZero(ref),
			Job:     orZero(job),
			Inputs:  orZero(inputs),
			Payload: orZero(payload),
			Fork:    isSet(fork),
			What:    isSet(what),
		}
		if f.What || isSet(json) {
			return answer(a, isSet(json), func() (cirun.Told, error) { return cirun.Look(ctx, c, f) }, func(t cirun.Told) {
				t.Show(a.view)
				a.next(ctx, t.Next())
			})
		}
		err := cirun.Run(ctx, c, f)
		if err == nil {
			a.next(ctx, "`mage ci:triggers`")
		}
		return err
	})
}
