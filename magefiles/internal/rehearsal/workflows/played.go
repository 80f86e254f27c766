package workflows

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/forge"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// WorkflowJob is a job of release.yml.
type WorkflowJob struct {
	Name string
	Run  string // the target and its flags, exactly as they follow "go tool mage" in the file
}

// WorkflowJobs has the jobs of release.yml in the order of their needs. The CI of the world runs them if a commit has no such file, as on another
// forge. A test in package rules compares them with the file and with the documents.
var WorkflowJobs = []WorkflowJob{
	{Name: jobBuild, Run: `build:all`},
	{Name: "import", Run: `publish -check -from="$RUNNER_TEMP/packages" -digests="$DIGESTS"`},
	{Name: jobUpload, Run: `publish -yes -from="$RUNNER_TEMP/packages" -digests="$DIGESTS"`},
	{Name: jobVerify, Run: `publish -verify -digests="$DIGESTS"`},
}

// These jobs do more here than run their targets.
const (
	jobBuild  = "build"  // uploads its artifacts for the next jobs
	jobUpload = "upload" // waits for reviewers, has an ID token, and uploads its record
	jobVerify = "verify" // has a key for reading if the channel is private
)

// Played configures the jobs that replace release.yml.
type Played struct {
	Environ  []string // environment of each job, without credentials
	Reader   string   // key for reading the channel in the last job; "" for none
	Source   *gitrepo.Repo
	Artifact func(run int64, name string, files map[string][]byte) error // stores a job's artifact
}

// Play runs the jobs that replace a missing release.yml, one after the other, and returns their output.
func (c *CI) Play(ctx context.Context, p Played, e Event) (said string, err error) {
	one := &playing{CI: c, Played: p, Event: e, dir: filepath.Join(c.Dir, strings.ReplaceAll(e.Tag, "/", "-")+"."+strconv.Itoa(e.Attempt))}
	if err = one.jobs(ctx); err != nil {
		fmt.Fprintln(&one.said, err)
	}
	_ = os.RemoveAll(one.dir) // GitHub also discards a runner after its job
	return one.said.String(), err
}

// playing runs the jobs of WorkflowJobs. Each job has a fresh clone of the tag and a separate environment. Only the job that uploads may ask for an
// ID token.
type playing struct {
	*CI
	Played
	Event
	dir     string
	digests string // the latest output `digests`: first from build, later from upload
	said    bytes.Buffer
}

// jobs runs one job after the other.
func (r *playing) jobs(ctx context.Context) error {
	for _, j := range WorkflowJobs {
		var right []string
		if j.Name == jobUpload {
			if err := r.Approve(ctx, r.Event.Run, forge.Environment); err != nil {
				return err
			}
			right = r.Job(oidc.GitHubClaims(r.Repository, forge.Workflow, tags+r.Tag, forge.Environment))
		}
		if j.Name == jobVerify && r.Reader != "" {
			right = []string{"PREFIX_API_KEY=" + r.Reader}
		}
		done, err := r.play(ctx, j, right)
		if token, asks := command.Getenv(right, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"); asks {
			r.Revoke(token)
		}
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

// packages returns the folder to which the run's artifacts are downloaded.
func (r *playing) packages() string { return filepath.Join(r.dir, "packages") }

// handOver replaces actions/upload-artifact.
func (r *playing) handOver(job, output string) error {
	switch job {
	case jobBuild:
		return os.Rename(output, r.packages())
	case jobUpload:
		data, err := os.ReadFile(filepath.Join(output, publish.RecordingFile))
		if err != nil {
			return err
		}
		return r.Artifact(r.Event.Run, forge.Recording, map[string][]byte{publish.RecordingFile: data})
	}
	return nil
}

// target returns a job's command line, with variables expanded.
func (r *playing) target(j WorkflowJob) (words []string) {
	values := strings.NewReplacer(`"$RUNNER_TEMP/packages"`, r.packages(), `"$DIGESTS"`, r.digests)
	for _, word := range strings.Fields(j.Run) {
		words = append(words, values.Replace(word))
	}
	return words
}

// ran holds a job's results.
type ran struct {
	root   string            // root of the workspace in the job's clone
	output map[string]string // lines of the job in GITHUB_OUTPUT
}

// play runs the target of a job in a fresh clone of the tag, with the variables of a runner and the variables for the job's permission.
func (r *playing) play(ctx context.Context, j WorkflowJob, right []string) (ran, error) {
	clone := filepath.Join(r.dir, j.Name)
	done := ran{root: filepath.Join(clone, filepath.FromSlash(r.Source.Prefix)), output: map[string]string{}}
	if err := r.Checkout(ctx, r.Played, r.Commit, clone, &r.said); err != nil {
		return done, fmt.Errorf("job %s: %w", j.Name, err)
	}
	output := filepath.Join(r.dir, j.Name+".output")
	defer command.EndMarked("GITHUB_OUTPUT=" + output)
	err := r.CI.Runner.Run(ctx, command.Cmd{
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

// Checkout replaces actions/checkout, with history and submodules. None of these jobs may push.
func (c *CI) Checkout(ctx context.Context, p Played, commit, clone string, said io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(clone), 0o755); err != nil {
		return err
	}
	origin := clone + ".origin.git"
	if err := standin.ReadOnly(origin, c.Remote, "You are not allowed to push code to this project."); err != nil {
		return err
	}
	for _, cmd := range []command.Cmd{
		{Dir: filepath.Dir(clone), Args: []string{"clone", "--quiet", "--", origin, clone}},
		{Dir: clone, Args: []string{"-c", "advice.detachedHead=false", "checkout", "--quiet", "--detach", commit}},
	} {
		cmd.Name, cmd.Stdout, cmd.Stderr, cmd.Gentle = "git", said, said, true
		cmd.Env, _ = command.Withhold(p.Environ)
		if err := c.Runner.Run(ctx, cmd); err != nil {
			return err
		}
	}
	return gitclone.Fill(ctx, p.Source, clone) // submodules, as with `submodules: true` of actions/checkout
}

// environ returns the environment of a CI job, with the variables in `further` added. Only the variables in `further` can hold a token, and no
// variable holds a channel's key.
func (r *playing) environ(output string, further []string) []string {
	return command.Setenv(r.Played.Environ, append([]string{
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=" + strconv.FormatInt(r.Event.Run, 10), "GITHUB_OUTPUT=" + output,
		"GITHUB_REF_TYPE=tag", "GITHUB_REF_NAME=" + r.Tag,
	}, further...)...)
}
