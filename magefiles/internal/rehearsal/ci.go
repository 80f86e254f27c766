package rehearsal

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/pause"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
)

// ci looks for tags that were pushed beside those that it has seen, and runs the workflow for each, unless more came by one push than GitHub creates
// events for. (Preflight has refused a workflow that does not start for them.)
func (w *World) ci(ctx context.Context, seen map[string]bool) {
	_, _ = pause.Wait{First: 50 * time.Millisecond}.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		for tag := range w.tags() {
			if !seen[tag] {
				seen[tag] = true
				if n, byJob := w.cameWith(tag); n <= gitremote.MaxTags && !byJob {
					w.pushed(ctx, tag, n)
				}
			}
		}
		return pause.Seen{}, nil
	})
}

// pushed begins the run of a tag, where the workflow file of its commit starts for it. Where none publishes, the embedded CI has its own jobs.
func (w *World) pushed(ctx context.Context, tag string, n int) {
	at, ok := w.tag(tag)
	if !ok {
		return
	}
	if !w.files.Publishes(ctx, at.Commit, forge.Workflow) {
		w.workflow(ctx, tag, "push")
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
	w.begin(tag, "push")
}

// keep keeps what came of a run.
func (w *World) keep(job Job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ran = append(w.ran, job)
}

// tags are those that were pushed: git keeps each in a file of its own.
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

// dispatch begins a run of the workflow at a tag, if its file there has workflow_dispatch. Inputs are passed over: the run has none.
func (w *World) dispatch(name, tag string, _ map[string]string) error {
	at, ok := w.tag(tag)
	if !ok {
		return server.ErrNoRef
	}
	if name != forge.Workflow || w.begin == nil {
		return server.ErrNoWorkflow
	}
	text, err := w.atRemote(context.Background(), "cat-file", "blob", at.Commit+":"+workflows.Folder+"/"+name)
	if err != nil {
		return server.ErrNoWorkflow
	}
	read, err := file.Read(name, []byte(text))
	if err != nil || !read.StartsFor("workflow_dispatch") {
		//lint:ignore nilerr GitHub does not say more of a file that it cannot read
		return server.ErrNoTrigger
	}
	w.begin(tag, "workflow_dispatch")
	return nil
}

// workflow is one run for a tag, by an event, and what comes of it when somebody runs it again.
func (w *World) workflow(ctx context.Context, tag, event string) {
	at, ok := w.tag(tag)
	if !ok {
		return
	}
	id, err := w.Hub.AddRun(server.Run{Workflow: forge.Workflow, Name: "release", Event: event, Ref: tag, Commit: at.Commit})
	if err != nil {
		return
	}
	for attempt := 1; ; attempt++ {
		run := w.job
		if w.files.Publishes(ctx, at.Commit, forge.Workflow) {
			run = w.runRelease
		}
		job := run(ctx, workflows.Event{Name: event, Tag: tag, Commit: at.Commit, Run: id, Attempt: attempt})
		w.keep(job)
		conclusion := "failure"
		if job.OK {
			conclusion = "success"
		}
		if ctx.Err() != nil || w.Hub.FinishRun(id, conclusion) != nil || job.OK || attempt > w.Reruns {
			return
		}
		if pause.For(ctx, 200*time.Millisecond) != nil || w.Hub.RerunRun(id) != nil { // somebody sees it, and runs it again
			return
		}
	}
}

// job runs the jobs that stand for release.yml where a commit has none that publishes.
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
