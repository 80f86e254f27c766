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

// runners returns the CI that runs the world's workflow files.
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
		Fill:       func(ctx context.Context, dir string) error { return gitclone.Fill(ctx, w.Source, dir) }, // as for built-in jobs
		Git:        w.gitAtRemote,
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

// grant gives permissions to a job's token. `revoke` withdraws them, and also the permission to request ID tokens.
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

// packages returns a token's permissions for packages. Secrets, such as another registry's password, have unknown permissions here, so they are
// accepted.
func (w *World) packages(token string) string {
	if token == w.token || w.files.IsSecret(token) {
		return "write"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.granted[token]["packages"]
}

// approve waits until an environment is approved, if that is required.
func (w *World) approve(ctx context.Context, run int64, environment string) error {
	w.mu.Lock()
	approver := w.approver
	w.mu.Unlock()
	if approver == nil {
		return nil
	}
	return approver(ctx, run, environment)
}

// runFile runs a workflow file from a commit, for a tag or a branch.
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

// review waits until the reviewers of the release environment approve a run.
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

// takeRuns adds to the report what workflow runs left out or did differently from GitHub. It replaces its earlier entries, because later runs may
// have done these parts.
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
	for _, left := range workflows.ListLeftOut(runs, r.variables()[secondBuild] != "") {
		r.left = append(r.left, Missing{What: left[0], Why: left[1]})
		r.missing(left[0], left[1])
	}
}

// tellRuns prints the workflow runs, and the doubts about the files.
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

// setApprover sets the function that approves environments other than the release environment.
func (w *World) setApprover(approver func(ctx context.Context, run int64, environment string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.approver = approver
}
