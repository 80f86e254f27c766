package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/machine"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// runners are what runs the workflow files of the world.
func (w *World) runners() *workflows.CI {
	further := []string{"PREFIX_SERVER_URL=" + w.Prefix.URL, "PYTHONPYCACHEPREFIX=" + w.Pycache}
	for _, name := range []string{"PREFIX_CHANNEL", "PIPELINE_PATIENCE"} {
		if v, set := command.Getenv(w.Environ(nil), name); set {
			further = append(further, name+"="+v)
		}
	}
	return &workflows.CI{Config: workflows.Config{
		Runner:     w.Runner,
		Environ:    w.WorldConfig.Environ,
		Further:    further,
		Program:    w.Program,
		Dir:        filepath.Join(w.Dir, "ci"),
		Remote:     w.Remote,
		Repository: w.Repository,
		API:        w.API,
		Branch:     w.Branch,
		Key:        w.Prefix.Key,
		Variables:  w.Variables,
		StandIns:   w.StandIns,
		Git:        w.atRemote,
		Grant:      w.Hub.Grant,
		Revoke:     w.Hub.Revoke,
		Job:        w.Prefix.Job,
		Approve: func(ctx context.Context, run int64, environment string) error {
			if environment != forge.Environment {
				return nil
			}
			return w.review(ctx, run)
		},
	}}
}

// runFile runs release.yml, as the commit of a tag has it.
func (w *World) runFile(ctx context.Context, e workflows.Event) Job {
	report := w.files.Run(ctx, forge.Workflow, e)
	var told error
	for name, files := range report.Artifacts {
		told = errors.Join(told, w.Hub.AddArtifact(e.Run, name, files))
	}
	var jobs []server.Job
	for _, j := range report.Jobs {
		jobs = append(jobs, server.Job{Name: j.Name, Status: "completed", Conclusion: j.Conclusion})
	}
	err := report.Err
	if told = errors.Join(told, w.Hub.TellJobs(e.Run, jobs...)); err == nil {
		err = told
	}
	job := Job{Tag: e.Tag, Attempt: e.Attempt, OK: err == nil, Run: &report}
	if err != nil {
		job.Log = fmt.Sprintf("%+v", err)
	}
	return job
}

// takeRuns puts into the report what the runs of the workflow file did not do as GitHub would, or not at all.
func (r *run) takeRuns() {
	said := map[string]bool{}
	once := func(what, why string) {
		if !said[what+why] {
			said[what+why] = true
			r.missing(what, why)
		}
	}
	var notes []string
	for _, job := range r.report.Jobs {
		if job.Run == nil {
			continue
		}
		for _, n := range append(job.Run.Notes, machine.Caches) {
			if !slices.Contains(notes, n) {
				notes = append(notes, n)
			}
		}
		for _, d := range job.Run.Doubts {
			if !slices.Contains(r.report.Doubts, d) {
				r.report.Doubts = append(r.report.Doubts, d)
			}
		}
		for _, j := range job.Run.Jobs {
			switch {
			case j.Conclusion != "skipped":
			case j.Name == "rebuild" && r.variables()[secondBuild] != "":
				once("the job rebuild, "+job.Run.Workflow+":"+strconv.Itoa(j.Line), "-full runs it")
			default:
				once("the job "+j.Name+", "+job.Run.Workflow+":"+strconv.Itoa(j.Line), "it was skipped: "+j.Why)
			}
		}
	}
	if notes != nil {
		r.missing("GitHub's machines", strings.Join(notes, "; "))
	}
}

// tellRuns shows the runs of the workflow file, each job with its time and its rights, and what is doubtful in the file.
func (r Report) tellRuns(v *view.View) {
	marks := map[string]string{"success": "✓", "skipped": "○"}
	for _, job := range r.Jobs {
		if job.Run == nil || job.Run.Conclusion == "" {
			continue
		}
		v.Line("  %s for %s:", job.Run.Workflow, job.Tag)
		for _, j := range job.Run.Jobs {
			if j.Conclusion == "skipped" {
				continue
			}
			about := "may: " + j.Grant
			if j.Environment != "" {
				about += "; environment " + j.Environment
			}
			v.Line("    %s %s %.1fs  %s", cmp.Or(marks[j.Conclusion], "✗"), view.Plain(j.Name), j.Took.Seconds(), about)
		}
	}
	for _, d := range r.Doubts {
		v.Line("  ! look at %s", view.Plain(d))
	}
}

// pageOf are the jobs of a run, as a page shows steps: with what was granted, and the end of the log of each of its steps.
func (j Job) pageOf() (all []view.ReportStep) {
	if j.Run == nil {
		return nil
	}
	for _, job := range j.Run.Jobs {
		if job.Began.IsZero() {
			continue
		}
		event := string(workflow.Done)
		if job.Conclusion != "success" {
			event = string(workflow.Failed)
		}
		lines := []string{job.Conclusion + "; may: " + job.Grant}
		if job.Environment != "" {
			lines[0] += "; environment " + job.Environment
		}
		for _, s := range job.Steps {
			lines = append(lines, fmt.Sprintf("%s:%d %s: %s, %.1fs", j.Run.Workflow, s.Line, s.Name, s.Conclusion, s.Took.Seconds()))
			for _, l := range s.Log {
				lines = append(lines, "    "+l)
			}
		}
		all = append(all, view.ReportStep{
			Name:     job.Name,
			Of:       j.Run.Workflow,
			Event:    event,
			Began:    job.Began,
			Took:     job.Took,
			Evidence: strings.Join(lines, "\n"),
		})
	}
	return all
}
