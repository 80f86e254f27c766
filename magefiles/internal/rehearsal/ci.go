package rehearsal

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/github/server/bare"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// ci runs the workflow for each pushed tag that is not in `seen`, unless one push had more tags than GitHub creates events for. (Preflight has
// already rejected workflows that tags do not trigger.)
func (w *World) ci(ctx context.Context, seen map[string]bool) {
	_, _ = pause.Wait{First: 50 * time.Millisecond}.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		for tag := range w.tags() {
			if !seen[tag] {
				seen[tag] = true
				if n, by := w.Bare().CameWith(tag); n <= gitremote.MaxTags && by != bare.Job {
					w.startTagRun(ctx, tag, n)
				}
			}
		}
		return pause.Seen{}, nil
	})
}

// startTagRun starts the run of a tag if the tag triggers the workflow file of the tagged commit. If that file does not publish, the embedded CI
// runs built-in jobs.
func (w *World) startTagRun(ctx context.Context, tag string, n int) {
	at, ok := w.tag(tag)
	if !ok {
		return
	}
	if !w.files.Publishes(ctx, at.Commit, forge.Workflow) {
		w.workflow(ctx, workflows.Event{Name: "push", Tag: tag})
		return
	}
	starts, why, err := w.files.Starts(ctx, forge.Workflow, workflows.Event{Name: "push", Tag: tag, Tags: n, Commit: at.Commit})
	if err != nil {
		why = err.Error()
	}
	if !starts {
		w.keep(Job{Tag: tag, Log: "no run was started: " + why})
		return
	}
	w.begin(tag, "push", nil)
}

// keep appends a run to the world's runs.
func (w *World) keep(job Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ran = append(w.ran, job)
}

// tags returns the pushed tags. The bare repository has a file for each tag.
func (w *World) tags() map[string]bool {
	found := map[string]bool{}
	root := filepath.Join(w.Remote, "refs", "tags")
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".lock") {
			name, _ := filepath.Rel(root, path)
			found[filepath.ToSlash(name)] = true
		}
		return nil
	})
	return found
}

// dispatch starts a run of the workflow at a tag, if the tagged commit's workflow file has workflow_dispatch with these inputs.
func (w *World) dispatch(name, tag string, inputs map[string]string) error {
	at, ok := w.tag(tag)
	if !ok {
		return server.ErrNoRef
	}
	if name != forge.Workflow || w.begin == nil {
		return server.ErrNoWorkflow
	}
	text, err := w.gitAtRemote(context.Background(), "cat-file", "blob", at.Commit+":"+workflows.Folder+"/"+name)
	if err != nil {
		return server.ErrNoWorkflow
	}
	read, err := file.Read(name, []byte(text))
	if err != nil || !read.StartsFor("workflow_dispatch") {
		//lint:ignore nilerr GitHub responds in the same way if it cannot read the file
		return server.ErrNoTrigger
	}
	declared := read.Top.At("on", "workflow_dispatch", "inputs").Pairs()
	for given := range inputs {
		if !slices.ContainsFunc(declared, func(p file.Pair) bool { return strings.EqualFold(p.Key.Text(), given) }) {
			return server.ErrInput
		}
	}
	w.begin(tag, "workflow_dispatch", inputs)
	return nil
}

// workflow performs one run for a tag and an event, with reruns after failures.
func (w *World) workflow(ctx context.Context, e workflows.Event) {
	at, ok := w.tag(e.Tag)
	if !ok {
		return
	}
	e.Commit = at.Commit
	w.attempts(ctx, forge.Workflow, e, func(e workflows.Event) Job {
		if w.files.Publishes(ctx, e.Commit, forge.Workflow) {
			return w.runFile(ctx, forge.Workflow, e)
		}
		return w.job(ctx, e)
	})
}

// attempts starts a run, and reruns it after a failure, as a user would, up to w.Reruns times. It returns the job of the last attempt.
func (w *World) attempts(ctx context.Context, name string, e workflows.Event, run func(e workflows.Event) Job) (job Job) {
	var err error
	e.Run, err = w.Hub.AddRun(server.Run{Workflow: name, Name: strings.TrimSuffix(name, ".yml"), Event: e.Name, Ref: cmp.Or(e.Tag, e.Branch), Commit: e.Commit})
	if err != nil {
		job = Job{Tag: e.Tag, Branch: e.Branch, Log: "no run was started: " + err.Error()}
		w.keep(job)
		return job
	}
	for e.Attempt = 1; ; e.Attempt++ {
		job = run(e)
		w.keep(job)
		conclusion := "failure"
		if job.OK {
			conclusion = "success"
		}
		if ctx.Err() != nil || w.Hub.FinishRun(e.Run, conclusion) != nil || job.OK || e.Attempt > w.Reruns {
			return job
		}
		if pause.For(ctx, 200*time.Millisecond) != nil || w.Hub.RerunRun(e.Run) != nil {
			return job
		}
	}
}

// Proposes runs release-pr.yml from the branch's commit, for a push that moved the branch there from `before`. It reruns failed runs. Runs that it
// starts at a tag may take longer: see [World.Settle]. An error tells why nothing was started.
func (w *World) Proposes(ctx context.Context, branch, before string) (Job, error) {
	commit, ok := w.Bare().Branch(branch)
	if w.begin == nil || !ok {
		return Job{}, fmt.Errorf("the rehearsal has no CI, or no branch %s", branch)
	}
	e := workflows.Event{Name: "push", Branch: branch, Before: before, Commit: commit}
	starts, why, err := w.files.Starts(ctx, forge.Proposing, e)
	if err != nil {
		return Job{}, err
	}
	if !starts {
		return Job{}, operr.New("correct the events under `on:` in the workflow file, and commit", "no run was started: %s", why)
	}
	return w.attempts(ctx, forge.Proposing, e, func(e workflows.Event) Job { return w.runFile(ctx, forge.Proposing, e) }), nil
}

// Settle waits for all runs of tags.
func (w *World) Settle() { w.begun.Wait() }

// job runs the built-in jobs, which replace release.yml if the commit's file does not publish.
func (w *World) job(ctx context.Context, e workflows.Event) Job {
	p := workflows.Played{
		Environ:  command.Setenv(command.Unset(w.Environ(w.quietGit()), "PREFIX_API_KEY", "GITHUB_TOKEN"), "PYTHONPYCACHEPREFIX="+w.Pycache),
		Source:   w.Source,
		Artifact: w.Hub.AddArtifact,
	}
	if w.Private {
		p.Reader = w.Prefix.Key
	}
	said, err := w.files.Play(ctx, p, e)
	return Job{Tag: e.Tag, Attempt: e.Attempt, OK: err == nil, Log: said[max(0, len(said)-8<<10):]}
}
