package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/commandtest"
)

const gitlabFile = ".gitlab-ci.yml"

// gitlabJob holds the fields of a .gitlab-ci.yml job that these tests use.
type gitlabJob struct {
	Stage       string                       `yaml:"stage"`
	Needs       []any                        `yaml:"needs"`
	Environment string                       `yaml:"environment"`
	IDTokens    map[string]map[string]string `yaml:"id_tokens"`
	Script      []string                     `yaml:"script"`
	Artifacts   struct {
		Paths []string `yaml:"paths"`
	} `yaml:"artifacts"`
}

// gitlabOf returns the .gitlab-ci.yml from publishing.md.
func gitlabOf(t testing.TB) string {
	_, text, ok := strings.Cut(readFile(t, repo, "magefiles/docs/publishing.md"), "```yaml\n# "+gitlabFile+"\n")
	require.True(t, ok, "publishing.md has a "+gitlabFile)
	text, _, _ = strings.Cut(text, "```")
	return text
}

// pipeline runs .gitlab-ci.yml for a tag, as GitLab does. Each job runs in its own shallow clone with a detached HEAD. It gets GitLab's variables,
// the artifacts of the jobs that it needs, and the ID tokens that it requests. pipeline returns the output of each job by name, and the name of the
// job that failed, after which it stops.
func (r *releasing) pipeline(file, tag string) (said map[string]string, failed string) {
	r.t.Helper()
	var top map[string]yaml.Node
	require.NoError(r.t, yaml.Unmarshal([]byte(file), &top))
	var stages []string
	var variables map[string]string
	stage, variable := top["stages"], top["variables"]
	require.NoError(r.t, stage.Decode(&stages))
	require.NoError(r.t, variable.Decode(&variables))
	jobs := map[string]gitlabJob{}
	for name, node := range top {
		if slices.Contains([]string{"stages", "default", "variables", "workflow"}, name) {
			continue
		}
		var j gitlabJob
		require.NoError(r.t, node.Decode(&j), name)
		jobs[name] = j
	}
	dir := r.t.TempDir()
	said = map[string]string{}
	for _, stage := range stages {
		for name, j := range jobs {
			if j.Stage != stage {
				continue
			}
			out, err := r.gitlabJob(dir, name, tag, variables, j)
			said[name] = out
			if err != nil {
				return said, name
			}
		}
	}
	return said, ""
}

// gitlabJob runs one job. Its artifacts are stored in the folder with its name.
func (r *releasing) gitlabJob(dir, name, tag string, variables map[string]string, j gitlabJob) (string, error) {
	clone := filepath.Join(dir, name+".clone")
	depth := []string{"--depth=20"} // GitLab's default
	if variables["GIT_DEPTH"] == "0" {
		depth = nil
	}
	git(r.t, dir, append(append([]string{"-c", "advice.detachedHead=false", "clone", "-q", "--branch=" + tag}, depth...), "file://"+r.world.Remote, clone)...)
	for _, need := range j.Needs {
		from, ok := need.(string)
		if !ok {
			continue // this job has no artifacts
		}
		require.NoError(r.t, os.MkdirAll(filepath.Join(clone, "output"), 0o755))
		require.NoError(r.t, os.CopyFS(filepath.Join(clone, "output"), os.DirFS(filepath.Join(dir, from))))
	}
	bin := r.t.TempDir()
	commandtest.WriteProgram(r.t, filepath.Join(bin, "go"), "#!/bin/sh\nshift 2\nexec "+filepath.Join(compiled, "targets")+" \"$@\"\n") // go tool mage
	path, _ := command.Getenv(r.env, "PATH")
	env := command.Setenv(command.Unset(r.env, "PREFIX_API_KEY"),
		"PATH="+bin+string(filepath.ListSeparator)+path, "CI=true", "GITLAB_CI=true", "CI_COMMIT_TAG="+tag, "CI_COMMIT_REF_NAME="+tag,
		"PREFIX_SERVER_URL="+strings.Replace(r.world.Prefix.URL, "127.0.0.1", "localhost", 1), "CI_PIPELINE_ID="+r.world.Repository+tag, "CI_JOB_TOKEN=glcbt-canary", "CI_PROJECT_PATH="+r.world.Repository, "CI_SERVER_HOST=gitlab.com")
	for variable, token := range j.IDTokens {
		require.Equal(r.t, "PREFIX_DEV_ID_TOKEN", variable)
		require.Equal(r.t, "prefix.dev", token["aud"])
		env = append(env, "LOCALHOST_ID_TOKEN="+r.idToken(tag, j.Environment)) // the variable for the same token on a server of this machine
	}
	x := exec.Command("sh", "-e", "-c", strings.Join(j.Script, "\n"))
	x.Dir, x.Env = clone, env
	out, err := x.CombinedOutput()
	r.said.Write(out)
	if err != nil {
		return string(out), err
	}
	for _, pattern := range j.Artifacts.Paths {
		files, err := filepath.Glob(filepath.Join(clone, pattern))
		require.NoError(r.t, err)
		require.NotEmpty(r.t, files, "%s: %s", name, pattern)
		for _, file := range files {
			write(r.t, filepath.Join(dir, name), filepath.Base(file), readFile(r.t, filepath.Dir(file), filepath.Base(file)))
		}
	}
	return string(out), nil
}

// idToken returns the ID token that GitLab gives to a job, with the claims for that job.
func (r *releasing) idToken(tag, environment string) string {
	claims := channeltest.GitLabClaims(r.world.Repository, gitlabFile, tag)
	claims["ref_protected"] = "true"
	if environment != "" {
		claims["environment"] = environment
	}
	asked := map[string]string{}
	for _, kv := range r.world.Prefix.Job(claims) {
		name, value, _ := strings.Cut(kv, "=")
		asked[name] = value
	}
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, asked["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=localhost", nil)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+asked["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	answer, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer answer.Body.Close()
	var token struct{ Value string }
	data, err := io.ReadAll(answer.Body)
	require.NoError(r.t, err)
	require.NoError(r.t, json.Unmarshal(data, &token), string(data))
	return token.Value
}

// newOnGitLab makes a monorepo on GitLab, with the .gitlab-ci.yml from publishing.md.
func newOnGitLab(t testing.TB) *releasing {
	return newReleasing(t, releaseOptions{gitlab: true, files: map[string]string{gitlabFile: gitlabOf(t)}})
}

// TestReleaseOnGitLab makes a whole release: the tag is pushed from here, and the jobs of the .gitlab-ci.yml from publishing.md publish to the
// channel.
func TestReleaseOnGitLab(t *testing.T) {
	t.Parallel()
	for _, depth := range []string{"0", "20"} {
		t.Run("depth "+depth, func(t *testing.T) {
			t.Parallel()
			r := newOnGitLab(t)
			x, out := r.start("release", "-to=patch", "-yes")
			require.NoError(t, x.Start())
			waitFor(t, "the tag", func() bool { _, tags := r.remote(); return len(tags) > 0 })
			said, failed := r.pipeline(strings.Replace(gitlabOf(t), `GIT_DEPTH: "0"`, fmt.Sprintf("GIT_DEPTH: %q", depth), 1), "v0.1.7")
			require.Empty(t, failed, said[failed])
			require.NoError(t, x.Wait(), out.String())
			require.Contains(t, out.String(), "CI publishes (.gitlab-ci.yml, by trusted publishing)")
			for _, word := range []string{"release.yml", ".github", "runs of"} {
				require.NotContains(t, out.String(), word)
			}
			require.Len(t, r.onChannel(), 3)
			require.NotContains(t, r.said.String(), "glcbt-canary")
			// A second pipeline changes nothing.
			_, failed = r.pipeline(gitlabOf(t), "v0.1.7")
			require.Empty(t, failed)
		})
	}
}

// TestGitLabPipelinesThatMustNotPublish has pipelines that must not publish, because the tag has another version or the environment is missing, and a
// release with a protected tag, which GitLab rejects.
func TestGitLabPipelinesThatMustNotPublish(t *testing.T) {
	t.Parallel()
	t.Run("another version", func(t *testing.T) {
		t.Parallel()
		for _, tag := range []string{"v0.2.0", "v0.1.7", "0.1.6"} {
			r := newOnGitLab(t)
			git(t, r.dir, "tag", "-a", "-m", tag, tag)
			git(t, r.dir, "push", "-q", "origin", tag)
			said, failed := r.pipeline(gitlabOf(t), tag)
			require.Contains(t, []string{"build", "import"}, failed)
			require.Contains(t, said[failed], "the tag "+tag+" started this run, but the tags of the versions in the manifests are: v0.1.6")
			require.Empty(t, r.onChannel())
		}
	})
	t.Run("without the environment", func(t *testing.T) {
		t.Parallel()
		r := newOnGitLab(t)
		said, failed := r.pipeline(strings.Replace(gitlabOf(t), "environment: release", "environment: other", 1), "v0.1.6")
		require.Equal(t, "upload", failed)
		require.Contains(t, said["upload"], "trusted publishing")
		require.Empty(t, r.onChannel())
	})
	t.Run("a protected tag", func(t *testing.T) {
		t.Parallel()
		r := newOnGitLab(t)
		hook(t, filepath.Join(r.world.Remote, "hooks"), "update",
			`case "$1" in refs/tags/v*) echo "GitLab: You are not allowed to create this tag as it is protected." >&2; exit 1;; esac`)
		out := r.refused(1, "You are not allowed to create this tag as it is protected", "release", "-to=patch", "-yes")
		require.NotContains(t, out, "GitHub")
		_, tags := r.remote()
		require.Empty(t, tags)
		r.ok("undo", "-yes")
		require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
	})
}
