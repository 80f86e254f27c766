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
	"github.com/foopack/foopack/magefiles/internal/oidc"
	"github.com/foopack/foopack/magefiles/internal/release"
)

// runner runs the jobs of one run of release.yml: build, import, upload, verify. Each has a fresh clone of the tag and an environment
// of its own, and only the one that uploads may ask for an ID token. A test holds the list against the file.
type runner struct {
	*World
	tag, commit string
	id          int64 // of the run
	dir         string
	said        bytes.Buffer
}

// Names of the jobs of release.yml. The second build, "rebuild", is left out here: it is for another machine.
const (
	jobBuild  = "build"
	jobImport = "import"
	jobUpload = "upload"
	jobVerify = "verify"
)

// jobs runs one job after the other, as their needs say.
func (r *runner) jobs(ctx context.Context) error {
	built, err := r.run(ctx, jobBuild, nil, "build:all")
	if err != nil {
		return err
	}
	packages := filepath.Join(r.dir, "packages") // what upload-artifact keeps
	if err := os.Rename(filepath.Join(built.root, "output"), packages); err != nil {
		return err
	}
	from, digests := "-from="+packages, "-digests="+built.output["digests"]
	if _, err := r.run(ctx, jobImport, nil, "publish", "-check", from, digests); err != nil {
		return err
	}
	if err := r.review(ctx); err != nil {
		return err
	}
	token := r.Prefix.Job(oidc.GitHubClaims(r.Repository, release.Workflow, "refs/tags/"+r.tag, release.Environment))
	sent, err := r.run(ctx, jobUpload, token, "publish", "-yes", from, digests)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(filepath.Join(sent.root, "output", release.RecordingFile))
	if err == nil {
		err = r.Hub.AddArtifact(r.id, release.Recording, map[string][]byte{release.RecordingFile: data})
	}
	if err != nil {
		return err
	}
	_, err = r.run(ctx, jobVerify, nil, "publish", "-verify", "-digests="+sent.output["digests"])
	return err
}

// review waits for those who have to approve the environment.
func (r *runner) review(ctx context.Context) error {
	if len(r.Reviewers) == 0 {
		return nil
	}
	if err := r.Hub.HoldRun(r.id, release.Environment, r.Reviewers...); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.approved:
		return r.Hub.ApproveRun(r.id)
	}
}

// ran is what is left of a job.
type ran struct {
	root   string            // of the workspace in its clone
	output map[string]string // what it wrote to GITHUB_OUTPUT
}

// run runs a target in a job: in a fresh clone of the tag, with the variables of a runner and those given.
func (r *runner) run(ctx context.Context, job string, further []string, target ...string) (ran, error) {
	clone := filepath.Join(r.dir, job)
	done := ran{root: filepath.Join(clone, filepath.FromSlash(r.Source.Prefix)), output: map[string]string{}}
	if err := r.checkout(ctx, clone); err != nil {
		return done, fmt.Errorf("job %s: %w", job, err)
	}
	output := filepath.Join(r.dir, job+".output")
	err := r.Runner.Run(ctx, command.Cmd{
		Name: r.Program, Args: target, Dir: done.root, Env: r.environ(output, further), Stdout: &r.said, Stderr: &r.said, Gentle: true,
	})
	if err != nil {
		return done, fmt.Errorf("job %s: %w", job, err)
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
	return r.Source.Fill(ctx, clone) // as a workflow does that asks for submodules
}

// environ is the environment of a job of the CI: without a key, and without a token unless it is given one.
func (r *runner) environ(output string, further []string) []string {
	env := command.Unset(r.World.Environ(r.quietGit()), "PREFIX_API_KEY", "GITHUB_TOKEN")
	return command.Setenv(env, append([]string{
		"CI=true", "GITHUB_ACTIONS=true", "GITHUB_RUN_ID=" + strconv.FormatInt(r.id, 10), "GITHUB_OUTPUT=" + output,
		"GITHUB_REF_TYPE=tag", "GITHUB_REF_NAME=" + r.tag, "PYTHONPYCACHEPREFIX=" + r.Pycache,
	}, further...)...)
}
