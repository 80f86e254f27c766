package e2e_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/faults"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/monorepotest"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
	"github.com/foopack/foopack/magefiles/internal/release"
	"github.com/foopack/foopack/magefiles/internal/release/trace"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// releasing is a monorepo of three packages at 0.1.6, a clone in which a user works, the embedded servers, and the compiled magefile. The pixi
// stand-in builds real packages almost instantly.
type releasing struct {
	t       testing.TB
	world   *rehearsal.World
	dir     string // path of the clone
	env     []string
	base    string // commit that the release starts from
	standin *pixitest.Standin
	gate    *gate
	said    bytes.Buffer // output of all targets
}

// releaseOptions configures newReleasing.
type releaseOptions struct {
	by     string // "here" or "ci", the default
	files  map[string]string
	dice   *faults.Dice
	reruns int
	real   bool // packages are built by the embedded toolchain instead of the stand-in
	many   int  // number of packages; 0 means three

	private login // login that a private channel requires; "" means the channel is public

	secrets   map[string]string // values of the secrets that workflow files use
	variables map[string]string // variables of the repository

	reviewers []string // reviewers who have to approve the upload by the CI
	gitlab    bool     // the remote is on GitLab, whose CI the tests in gitlab_test.go run
}

// login is a way to provide the credential for a private channel.
type login string

const (
	byVariable login = "PREFIX_API_KEY"
	byFile     login = "RATTLER_AUTH_FILE"
)

// accesses lists "", which means a public channel, and each login of a private one.
var accesses = []login{"", byVariable, byFile}

// `over` runs a test with a public channel and with private ones, and with each of the given publishers. A CI publishes by OIDC.
func over(t *testing.T, ways []string, test func(t *testing.T, o releaseOptions)) {
	for _, private := range accesses {
		for _, by := range ways {
			t.Run(by+map[login]string{"": "", byVariable: ", private, by a variable", byFile: ", private, by a file"}[private], func(t *testing.T) { test(t, releaseOptions{by: by, private: private}) })
		}
	}
}

// letIn returns the environment of a user who logs in by the given method.
func (r *releasing) letIn(by login, environ []string) []string {
	if by != byFile {
		return environ
	}
	file := filepath.Join(r.t.TempDir(), "credentials.json")
	require.NoError(r.t, os.WriteFile(file, []byte(`{"127.0.0.1":{"BearerToken":"`+r.world.Prefix.Key+`"}}`), 0o600))
	return command.Setenv(command.Unset(environ, "PREFIX_API_KEY"), "RATTLER_AUTH_FILE="+file)
}

// qaTask fails if the file fail-qa exists or the core package's manifest has no version.
const qaTask = `
[tasks]
qa = "test ! -e fail-qa && grep -q version packages/core/pixi.toml && echo all is well"

[tool.release]
publish = "%s"
`

func newReleasing(t testing.TB, o releaseOptions) *releasing {
	t.Helper()
	if o.by == "" {
		o.by = "ci"
	}
	source := filepath.Join(t.TempDir(), "source")
	many := cmp.Or(o.many, 3)
	require.NoError(t, monorepotest.Write(source, many, "0.1.6"))
	files := map[string]string{
		".gitignore": "/output/\n/.pixi/\n", "CHANGELOG.md": "# Changelog\n\n## [Unreleased]\n\n- Something new.\n",
		"pixi.toml": monorepotest.Files(many, "0.1.6")["pixi.toml"] + fmt.Sprintf(qaTask, o.by),
	}
	for name, text := range o.files {
		files[name] = text
	}
	for name, text := range files {
		write(t, source, name, text)
	}
	for _, argv := range [][]string{
		{"init", "-q", "-b", "main"},
		{"config", "user.name", "a tester"},
		{"config", "user.email", "tester@example.invalid"},
		{"add", "-A"},
		{"commit", "-q", "-m", "chore: initial"},
		{"tag", "v0.1.6"},
	} {
		git(t, source, argv...)
	}
	r := &releasing{t: t, gate: &gate{}, base: git(t, source, "rev-parse", "HEAD"), standin: pixitest.Install(t, pixitest.Behavior{})}
	environ := command.Setenv(command.Unset(os.Environ(), "CI", "GITHUB_ACTIONS"), "GIT_CONFIG_GLOBAL="+os.DevNull, "PIPELINE_TOOLCHAIN=pixi",
		"GIT_AUTHOR_NAME=a tester", "GIT_AUTHOR_EMAIL=tester@example.invalid", "GIT_COMMITTER_NAME=a tester", "GIT_COMMITTER_EMAIL=tester@example.invalid",
		"GIT_COMMITTER_DATE=2026-01-01T00:00:00Z") // earlier than the time in the stand-in's artifacts, as with pixi
	environ = command.Setenv(r.standin.Env(environ), "PYTHONPYCACHEPREFIX="+pycache())
	if o.real {
		environ = command.Setenv(environ, "PIPELINE_TOOLCHAIN=embedded")
	}
	runner := command.NewSystem(environ, nil)
	repo, err := gitrepo.Open(t.Context(), runner, source)
	require.NoError(t, err)
	dir := t.TempDir()
	r.world, err = rehearsal.NewWorld(t.Context(), rehearsal.WorldConfig{
		Dir:        dir,
		Runner:     runner,
		Environ:    environ,
		Source:     repo,
		Branch:     "main",
		Channel:    "mono",
		Repository: "octo/mono",
		Program:    filepath.Join(compiled, "targets"),
		Pycache:    pycache(),
		CI:         o.by == "ci" && !o.gitlab,
		Workflow:   map[bool]string{true: gitlabFile}[o.gitlab],
		Wrap:       r.gate.wrap,
		Dice:       o.dice,
		Reruns:     o.reruns,
		Reviewers:  o.reviewers,
		Secrets:    o.secrets,
		Variables:  o.variables,
		Private:    o.private != "",
	})
	require.NoError(t, err)
	t.Cleanup(r.world.Close)
	r.env = r.letIn(o.private, r.world.Environ(environ))
	if o.gitlab {
		r.env = command.Unset(r.env, "GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN")
	}
	r.dir = r.newClone()
	return r
}

// pycache returns a byte code cache for Python's standard modules, which all releases share. Compiling these modules takes longer than the rest of an
// import test.
func pycache() string { return filepath.Join(compiled, "pycache") }

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// hook installs a hook in a hooks folder: a clone's, a bare repository's, or core.hooksPath.
func hook(t testing.TB, folder, name, script string) {
	t.Helper()
	write(t, folder, name, "#!/bin/sh\n"+script+"\n")
	require.NoError(t, os.Chmod(filepath.Join(folder, name), 0o755))
}

// commit adds files to the clone and commits them.
func (r *releasing) commit(message string, files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		write(r.t, r.dir, name, text)
	}
	r.commitAll(message)
}

// commitAll commits everything in the clone.
func (r *releasing) commitAll(message string) {
	git(r.t, r.dir, "add", "-A")
	git(r.t, r.dir, "commit", "-q", "-m", message)
}

// pushAll commits everything in the clone and pushes the commit, from which a release will start.
func (r *releasing) pushAll(message string) {
	r.commitAll(message)
	git(r.t, r.dir, "push", "-q", "origin", "main")
	r.base = git(r.t, r.dir, "rev-parse", "HEAD")
}

// newClone makes another user's clone, which has no record of releases except what is on the remote.
func (r *releasing) newClone() string {
	dir := filepath.Join(r.t.TempDir(), "clone")
	git(r.t, r.t.TempDir(), "clone", "-q", r.world.Remote, dir)
	git(r.t, dir, "config", "user.name", "a tester")
	git(r.t, dir, "config", "user.email", "tester@example.invalid")
	return dir
}

// start prepares a target in the clone without starting it.
func (r *releasing) start(args ...string) (*exec.Cmd, *bytes.Buffer) {
	x := exec.Command(filepath.Join(compiled, "targets"), args...)
	x.Dir, x.Env = r.dir, r.env
	var out bytes.Buffer
	both := io.MultiWriter(&out, &r.said)
	x.Stdout, x.Stderr = both, both
	return x, &out
}

// mage runs a target in the clone and returns its output and exit status.
func (r *releasing) mage(args ...string) (string, int) {
	r.t.Helper()
	x, out := r.start(args...)
	_ = x.Run()
	return out.String(), x.ProcessState.ExitCode()
}

// ok runs a target that must succeed, and returns its output.
func (r *releasing) ok(args ...string) string {
	r.t.Helper()
	out, status := r.mage(args...)
	if status != 0 {
		for _, job := range r.world.Jobs() {
			r.t.Logf("%+v\n%s", job, job.Log)
		}
	}
	require.Zero(r.t, status, "%v: %s", args, out)
	return out
}

// refused runs a target and checks its exit status and that its output contains a text.
func (r *releasing) refused(status int, says string, args ...string) string {
	r.t.Helper()
	out, got := r.mage(args...)
	require.Equal(r.t, status, got, "%v: %s", args, out)
	require.Contains(r.t, out, says)
	return out
}

// remote returns the commits on the remote's main, newest first, and the remote's tags except v0.1.6.
func (r *releasing) remote() (commits, tags []string) {
	commits = strings.Fields(git(r.t, r.world.Remote, "rev-list", "main"))
	tags = strings.Fields(git(r.t, r.world.Remote, "tag", "--list"))
	return commits, slices.DeleteFunc(tags, func(tag string) bool { return tag == "v0.1.6" })
}

// onChannel returns the SHA-256 of each file on the channel.
func (r *releasing) onChannel() map[string]string {
	r.t.Helper()
	client, err := prefixdev.New(prefixdev.Options{Server: r.world.Prefix.URL})
	require.NoError(r.t, err)
	client, err = client.With(prefixdev.Token(r.world.Prefix.Key))
	require.NoError(r.t, err)
	c, err := client.Channel("mono")
	require.NoError(r.t, err)
	_, err = c.Private(r.t.Context()) // if the channel is private, it is then read with the key
	require.NoError(r.t, err)
	files := map[string]string{}
	for _, name := range []string{"mono-core", "mono-p0001", "mono-p0002"} {
		records, err := c.Records(r.t.Context(), "noarch", name)
		if !errors.Is(err, channel.ErrNotFound) {
			require.NoError(r.t, err)
		}
		for _, rec := range records {
			files[rec.FileName()] = rec.SHA256
		}
	}
	return files
}

// untouched checks that nothing has changed in the clone, on the remote or on the channel.
func (r *releasing) untouched() {
	r.t.Helper()
	require.Equal(r.t, r.base, git(r.t, r.dir, "rev-parse", "HEAD"))
	require.Empty(r.t, git(r.t, r.dir, "status", "--porcelain"))
	commits, tags := r.remote()
	require.Equal(r.t, []string{r.base}, commits)
	require.Empty(r.t, tags)
	require.Empty(r.t, r.onChannel())
	published, drafts := r.world.Hub.Published()
	require.Empty(r.t, published)
	require.Zero(r.t, drafts)
}

// released checks that everything was done exactly once: one commit with one tag, each artifact with the bytes that were verified, one GitHub release
// with these artifacts, and a journal that records the end.
func (r *releasing) released(version string) {
	r.t.Helper()
	commits, tags := r.remote()
	require.Len(r.t, commits, 2, "one commit")
	require.Equal(r.t, r.base, commits[1])
	require.Equal(r.t, []string{"v" + version}, tags)
	require.Equal(r.t, commits[0], git(r.t, r.world.Remote, "rev-parse", "v"+version+"^{commit}"))
	require.Equal(r.t, "tag", git(r.t, r.world.Remote, "cat-file", "-t", "v"+version))

	past, err := trace.Last(filepath.Join(r.dir, ".git", "pixi-release"))
	require.NoError(r.t, err)
	require.NotNil(r.t, past)
	require.Equal(r.t, trace.Released, past.End)
	verified := map[string]string{}
	for _, f := range verifiedFiles(r.t, past) {
		verified[f.File] = f.SHA256
	}
	require.Len(r.t, verified, 3)
	require.Equal(r.t, verified, r.onChannel())
	published, drafts := r.world.Hub.Published()
	require.Zero(r.t, drafts)
	require.Len(r.t, published, 1)
	require.Equal(r.t, "v"+version, published[0].Tag)
	require.Equal(r.t, 1, published[0].Times)
	require.Equal(r.t, verified, published[0].Assets)
	require.Empty(r.t, r.world.Hub.TagsMade())
	require.Empty(r.t, git(r.t, r.dir, "status", "--porcelain"))
	journal, err := os.ReadFile(past.Path)
	require.NoError(r.t, err)
	for _, secret := range r.world.Secrets() {
		require.NotContains(r.t, r.said.String(), secret)
		require.NotContains(r.t, string(journal), secret)
	}
}

// TestRelease releases three packages, published from here and by a CI, to a public channel and to private ones, and checks all results.
func TestRelease(t *testing.T) {
	t.Parallel()
	over(t, []string{"ci", "here"}, func(t *testing.T, o releaseOptions) {
		r := newReleasing(t, o)
		r.refused(2, "no release is unfinished", "release")
		r.refused(1, "nothing to release: 0 commits since v0.1.6", "release", "-to=auto", "-yes")
		r.refused(3, "nothing was changed: there is no terminal to ask at, and no -yes", "release", "-to=patch")
		r.untouched()

		out := r.ok("release", "-to=patch", "-yes")
		for _, step := range []string{"preflight", "plan", "agree", "bump and commit", "check", "build", "tag", "push", "publish", "visible", "verify", "GitHub release"} {
			require.Contains(t, out, "✓ "+step)
		}
		require.Contains(t, out, "v0.1.7 is released")
		require.Contains(t, out, `pixi add "mono-core==0.1.7"`)
		r.released("0.1.7")

		require.Contains(t, r.ok("status"), "v0.1.7: released")
		require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released: ")
		r.refused(2, "0.1.6", "release", "-to=v0.1.6", "-yes") // tagged, but not on the channel
		out = r.refused(1, "no release is unfinished, so there is nothing to undo; v0.1.7 is released, and an upload cannot be undone", "undo", "-yes")
		require.Contains(t, out, "To withdraw a package, delete its file on the channel's page (")
		require.Contains(t, out, "--request DELETE '"+r.world.Prefix.URL+"/api/v1/delete/mono/noarch/mono-core-0.1.7-")
		require.Contains(t, out, "→ release a corrected version with `mage release -to=patch`")
		out = r.refused(2, "-to=2 has one number", "release", "-to=2", "-yes")
		require.NotContains(t, out, "preflight", "no step is taken")
		r.released("0.1.7")
	})
}

func verifiedFiles(t testing.TB, past *trace.Past) []publish.Digest {
	t.Helper()
	var v release.Proof
	for _, event := range past.Events {
		if event.Step == trace.StepVerify && (event.Kind == workflow.Done || event.Kind == workflow.Found) {
			require.NoError(t, json.Unmarshal(event.Result, &v))
		}
	}
	return v.Files
}
