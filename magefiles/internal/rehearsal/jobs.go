package rehearsal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// WorkflowJob is a job of release.yml.
type WorkflowJob struct {
	Name string
	Run  string // the target and its flags, word for word as the file has them behind "go tool mage"
}

// WorkflowJobs are jobs as those of release.yml, in the order of their needs: what the CI of the world runs where a commit has no such file, as on another
// forge. A test in package rules holds them against the file, and the documents too.
var WorkflowJobs = []WorkflowJob{
	{Name: jobBuild, Run: `build:all`},
	{Name: "import", Run: `publish -check -from="$RUNNER_TEMP/packages" -digests="$DIGESTS"`},
	{Name: jobUpload, Run: `publish -yes -from="$RUNNER_TEMP/packages" -digests="$DIGESTS"`},
	{Name: jobVerify, Run: `publish -verify -digests="$DIGESTS"`},
}

// Jobs that do more here than to run their targets.
const (
	jobBuild  = "build"  // hands its artifacts over
	jobUpload = "upload" // waits for reviewers, has an ID token, and hands over what it recorded
	jobVerify = "verify" // has a key that reads, where the channel is private
)

// runner runs the jobs of one run of release.yml. Each has a fresh clone of the tag and an environment of its own, and only the one that
// uploads may ask for an ID token.
type runner struct {
	*World
	tag, commit string
	id          int64 // of the run
	dir         string
	digests     string // the latest output of that name: that of build, and from then on that of upload
	said        bytes.Buffer
}

// jobs runs one job after the other.
func (r *runner) jobs(ctx context.Context) error {
	for _, j := range WorkflowJobs {
		var right []string
		if j.Name == jobUpload {
			if err := r.World.review(ctx, r.id); err != nil {
				return err
			}
			right = r.Prefix.Job(oidc.GitHubClaims(r.Repository, forge.Workflow, "refs/tags/"+r.tag, forge.Environment))
		}
		if j.Name == jobVerify && r.Private {
			right = []string{"PREFIX_API_KEY=" + r.Prefix.Key}
		}
		done, err := r.run(ctx, j, right)
		if err != nil {
			return err
		}
		if digests := done.output["digests"]; digests != "" {
			r.digests = digests
		}
		if err := r.handOver(j.Name, filepath.Join(done.root, workspace.OutputDir)); err != nil {
			return err
		}
	}
	return nil
}

// packages is the folder that the artifacts of the run are downloaded to.
func (r *runner) packages() string { return filepath.Join(r.dir, "packages") }

// handOver is actions/upload-artifact, for the jobs that have it.
func (r *runner) handOver(job, output string) error {
	switch job {
	case jobBuild:
		return os.Rename(output, r.packages())
	case jobUpload:
		data, err := os.ReadFile(filepath.Join(output, publish.RecordingFile))
		if err != nil {
			return err
		}
		return r.Hub.AddArtifact(r.id, forge.Recording, map[string][]byte{publish.RecordingFile: data})
	}
	return nil
}

// target is the command line of a job, with what stands in its variables.
func (r *runner) target(j WorkflowJob) (words []string) {
	values := strings.NewReplacer(`"$RUNNER_TEMP/packages"`, r.packages(), `"$DIGESTS"`, r.digests)
	for _, word := range strings.Fields(j.Run) {
		words = append(words, values.Replace(word))
	}
	return words
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

// ran is what is left of a job.
type ran struct {
	root   string            // of the workspace in its clone
	output map[string]string // what it wrote to GITHUB_OUTPUT
}

// run runs the target of a job: in a fresh clone of the tag, with the variables of a runner and those of its right.
func (r *runner) run(ctx context.Context, j WorkflowJob, right []string) (ran, error) {
	clone := filepath.Join(r.dir, j.Name)
	done := ran{root: filepath.Join(clone, filepath.FromSlash(r.Source.Prefix)), output: map[string]string{}}
	if err := r.checkout(ctx, clone); err != nil {
		return done, fmt.Errorf("job %s: %w", j.Name, err)
	}
	output := filepath.Join(r.dir, j.Name+".output")
	err := r.Runner.Run(ctx, command.Cmd{
		Name:   r.Program,
		Args:   r.target(j),
		Dir:    done.root,
		Env:    r.environ(output, right),
		Stdout: &r.said,
		Stderr: &r.said,
		Gentle: true,
	})
	if err != nil {
		return done, fmt.Errorf("job %s: %w", j.Name, err)
	}
	text, err := os.ReadFile(output)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return done, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			done.output[name] = value
		}
	}
	return done, nil
}

// checkout is actions/checkout, with the history and submodules.
func (r *runner) checkout(ctx context.Context, clone string) error {
	for _, c := range []command.Cmd{
		{Dir: r.Dir, Args: []string{"clone", "--quiet", "--", r.Remote, clone}},
		{Dir: clone, Args: []string{"-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", r.commit}},
	} {
		c.Name, c.Stdout, c.Stderr, c.Gentle = "git", &r.said, &r.said, true
		c.Env, _ = command.Withhold(r.quietGit())
		if err := r.Runner.Run(ctx, c); err != nil {
			return err
		}
	}
	return gitclone.Fill(ctx, r.Source, clone) // as a workflow does that asks for submodules
}

// environ is the environment of a job of the CI: without a key, and without a token unless it is given one.
func (r *runner) environ(output string, further []string) []string {
	env := command.Unset(r.World.Environ(r.quietGit()), "PREFIX_API_KEY", "GITHUB_TOKEN")
	return command.Setenv(env, append([]string{
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=" + strconv.FormatInt(r.id, 10), "GITHUB_OUTPUT=" + output,
		"GITHUB_REF_TYPE=tag", "GITHUB_REF_NAME=" + r.tag, "PYTHONPYCACHEPREFIX=" + r.Pycache,
	}, further...)...)
}
