package rehearsal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/github/server"
	"github.com/foopack/foopack/magefiles/internal/github/server/bare"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/rehearsal/workflows"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// runners are what runs the workflow files of the world.
func (w *World) runners() *workflows.CI {
	further := []string{"PREFIX_SERVER_URL=" + w.Prefix.URL, "PYTHONPYCACHEPREFIX=" + w.Pycache, bare.Job.Variable()}
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
		Secrets:    w.WorldConfig.Secrets,
		Fill:       func(ctx context.Context, dir string) error { return gitclone.Fill(ctx, w.Source, dir) }, // as in a job that stands for one
		Git:        w.atRemote,
		Grant:      w.grant,
		Revoke:     w.revoke,
		Apps:       w.Hub.GrantApp,
		Job:        w.Prefix.Job,
		Approve: func(ctx context.Context, run int64, environment string) error {
			if environment != forge.Environment {
				return w.approve(ctx, run, environment)
			}
			return w.review(ctx, run)
		},
	}}
}

// grant lets a job in by its token, and revoke ends that, or that it may ask for ID tokens.
func (w *World) grant(token string, rights map[string]string) {
	w.Hub.Grant(token, rights)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.granted == nil {
		w.granted = map[string]map[string]string{}
	}
	w.granted[token] = rights
}

func (w *World) revoke(token string) {
	w.Hub.Revoke(token)
	w.Prefix.EndJob(token)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.granted, token)
}

// packages is what a token may do with packages. Of a secret, such as another registry's password, only its owner knows: it is taken.
func (w *World) packages(token string) string {
	if token == w.token || w.files.IsSecret(token) {
		return "write"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.granted[token]["packages"]
}

// approve waits for whoever approves an environment, if anybody does.
func (w *World) approve(ctx context.Context, run int64, environment string) error {
	w.mu.Lock()
	approver := w.approver
	w.mu.Unlock()
	if approver == nil {
		return nil
	}
	return approver(ctx, run, environment)
}

// runFile runs a workflow file, as the commit of a tag or a branch has it.
func (w *World) runFile(ctx context.Context, name string, e workflows.Event) Job {
	report := w.files.Run(ctx, name, e)
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
	job := Job{Tag: e.Tag, Branch: e.Branch, Attempt: e.Attempt, OK: err == nil, Run: &report}
	if err != nil {
		job.Log = fmt.Sprintf("%+v", err)
	}
	return job
}

// review waits for those who have to approve the environment, for a run.
func (w *World) review(ctx context.Context, run int64) error {
	if len(w.Reviewers) == 0 {
		return nil
	}
	if err := w.Hub.HoldRun(run, forge.Environment, w.Reviewers...); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-w.Approved:
		return w.Hub.ApproveRun(run)
	}
}

// takeRuns puts into the report what the runs of workflow files did not do as GitHub would, or not at all, in place of what it has put there before: later
// runs may have done it.
func (r *run) takeRuns() {
	r.report.Missing = slices.DeleteFunc(r.report.Missing, func(m Missing) bool { return slices.Contains(r.left, m) })
	r.left = nil
	var runs []*workflows.Report
	for _, job := range r.report.Jobs {
		if job.Run == nil {
			continue
		}
		for _, d := range job.Run.Doubts {
			if !slices.Contains(r.report.Doubts, d) {
				r.report.Doubts = append(r.report.Doubts, d)
			}
		}
		runs = append(runs, job.Run)
	}
	for _, left := range workflows.Left(runs, r.variables()[secondBuild] != "") {
		r.left = append(r.left, Missing{What: left[0], Why: left[1]})
		r.missing(left[0], left[1])
	}
}

// tellRuns shows the runs of the workflow file, and what is doubtful in it.
func (r Report) tellRuns(v *view.View) {
	for _, job := range r.Jobs {
		if job.Run != nil {
			job.Run.Tell(v, cmp.Or(job.Tag, job.Branch))
		}
	}
	for _, d := range r.Doubts {
		v.Text("  ! look at %s", view.Plain(d))
	}
}

// setApprover says who approves environments beside that of the release.
func (w *World) setApprover(approver func(ctx context.Context, run int64, environment string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.approver = approver
}
