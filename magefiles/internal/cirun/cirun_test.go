package cirun_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
	"github.com/foopack/foopack/magefiles/internal/cirun"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }

const workflow = `
on: {push: {tags: ["v*"], branches: ["**"]}, pull_request: , workflow_dispatch: {inputs: {who: {}}}}
permissions: {contents: write, id-token: write}
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: 'echo "[${{ github.event_name }} ${{ github.ref }} ${{ github.event.pull_request.head.ref }}${{ github.event.more }}${{ inputs.who }}]" "[$KEY]" "$(cat README)" "$HIDDEN"'
        env: {KEY: "${{ secrets.Key }}"}
`

// run runs the workflow in a repository of two commits. The second commit is checked out, with a change that is not committed.
func run(t *testing.T, f cirun.Flags, extra string) (said, shown string, err error) {
	t.Helper()
	return runOther(t, f, ".github/workflows/ci.yml", workflow+extra)
}

// runOther is like run, but the file has another name.
func runOther(t *testing.T, f cirun.Flags, name, text string) (said, shown string, err error) {
	t.Helper()
	dir := t.TempDir()
	git := func(args ...string) {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	git("init", "-q", "-b", "topic")
	write(name, text)
	write("README", "one")
	git("add", "-A")
	git("commit", "-qm", "one")
	git("tag", "v1")
	git("branch", "before")
	write("README", "two")
	git("commit", "-qam", "two")
	write("README", "not committed")
	write("event.json", `{"more": "of the file"}`)
	var out, errOut bytes.Buffer
	if f.File == "" {
		f.File = "ci.yml"
	}
	environ := append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "HIDDEN=of the person")
	err = cirun.Run(t.Context(), cirun.Config{
		Runner:  command.NewSystem(environ, nil),
		Environ: environ,
		Dir:     dir,
		View: &view.View{
			Out: &out,
			Err: &errOut,
		},
	}, f)
	return errOut.String(), out.String(), err
}

func TestEvents(t *testing.T) {
	for name, c := range map[string]struct {
		flags cirun.Flags
		want  string
	}{
		"a push of the branch":          {cirun.Flags{}, "a │ [push refs/heads/topic ] [***] two \n"},
		"a tag by its name":             {cirun.Flags{Ref: "v1"}, "a │ [push refs/tags/v1 ] [***] one \n"},
		"a tag by its whole name":       {cirun.Flags{Ref: "refs/tags/v1"}, "a │ [push refs/tags/v1 ] [***] one \n"},
		"a branch that is there":        {cirun.Flags{Ref: "before"}, "a │ [push refs/heads/before ] [***] one \n"},
		"a tag that does not exist yet": {cirun.Flags{Ref: "refs/tags/v2"}, "a │ [push refs/tags/v2 ] [***] two \n"},
		"a tag by its form":             {cirun.Flags{Ref: "v9"}, "a │ [push refs/tags/v9 ] [***] two \n"},
		"another branch":                {cirun.Flags{Ref: "refs/heads/other"}, "a │ [push refs/heads/other ] [***] two \n"},
		"a pull request":                {cirun.Flags{Event: "pull_request"}, "a │ [pull_request refs/pull/1/merge topic] [***] two \n"},
		"a fork has no secrets":         {cirun.Flags{Event: "pull_request", Fork: true}, "a │ [pull_request refs/pull/1/merge topic] [] two \n"},
		"a payload":                     {cirun.Flags{Payload: "event.json"}, "a │ [push refs/heads/topic of the file] [***] two \n"},
		"inputs":                        {cirun.Flags{Event: "workflow_dispatch", Inputs: `{"who": 3}`}, "a │ [workflow_dispatch refs/heads/topic 3] [***] two \n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said, shown, err := run(t, c.flags, "")
			require.NoError(t, err, said)
			require.Contains(t, said, c.want)
			require.Contains(t, shown, "✓ a: success")
			if c.flags.Fork {
				require.Contains(t, shown, "may: contents: read\n")
			} else {
				require.Contains(t, shown, "may: contents: write, id-token: write\n")
			}
		})
	}
}

// A job gets the password of a proxy, to reach the network. The password appears neither in the job's output nor in the outcome of the run.
func TestNoCredentialOfThePersonIsShown(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://u:passw0rdxyz@127.0.0.1:9")
	t.Setenv("GH_TOKEN", "ghp_AbCdEfGhIj")
	said, shown, err := run(t, cirun.Flags{}, "      - {name: tells, run: 'env | grep ^HTTPS_PROXY; printf %s%s ghp_AbCd EfGhIj; exit 3'}\n")
	require.Error(t, err)
	all := fmt.Sprintf("%s%s%+v", said, shown, err)
	require.Contains(t, all, "HTTPS_PROXY=http://u:***@127.0.0.1:9")
	require.NotContains(t, all, "passw0rdxyz")
	require.Contains(t, all, "│ ***\n")
}

func TestWhatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		flags      cirun.Flags
		extra      string
		want, next string
		status     int
	}{
		"no such file":                         {cirun.Flags{File: "x.yml"}, "", "there is no workflow file .github/workflows/x.yml in the commit", ".github/workflows/ci.yml", operr.Usage},
		"a file outside":                       {cirun.Flags{File: "../x.yml"}, "", "there is no workflow file ../x.yml in the commit", ".github/workflows/ci.yml", operr.Usage},
		"a tag that starts nothing":            {cirun.Flags{Ref: "refs/tags/x"}, "", "GitHub would not start this workflow: .github/workflows/ci.yml:2 starts for tags that match v*", "another -ref", operr.Usage},
		"an event that the file does not have": {cirun.Flags{Event: "schedule"}, "", "ci.yml does not start for schedule, but for push, pull_request, workflow_dispatch", "-event", operr.Usage},
		"a push of a fork":                     {cirun.Flags{Fork: true}, "", "-fork is only for the event pull_request, not for push", "-event=pull_request", operr.Usage},
		"inputs that are not JSON":             {cirun.Flags{Event: "workflow_dispatch", Inputs: "who=1"}, "", "-inputs: the argument of fromJSON is not JSON", "as JSON", operr.Usage},
		"an input that is a list":              {cirun.Flags{Event: "workflow_dispatch", Inputs: `{"a": ["b"]}`}, "", "-inputs: the value of a is a list or an object", "a text", operr.Usage},
		"inputs that are a list":               {cirun.Flags{Event: "workflow_dispatch", Inputs: "[]"}, "", "-inputs: the JSON is not an object", "as JSON", operr.Usage},
		"an input that the file does not have": {cirun.Flags{Event: "workflow_dispatch", Inputs: `{"whom": 1}`}, "", "there is no input \"whom\"", "look up the names of the inputs", operr.Usage},
		"a payload file that does not exist":   {cirun.Flags{Payload: "x.json"}, "", "-payload: ", "as JSON", operr.Usage},
		"a ref that is an option":              {cirun.Flags{Ref: "--upload-pack=x"}, "", "is not a valid ref name", "branch or a tag", operr.Usage},
		"a ref that no branch can be":          {cirun.Flags{Ref: "refs/heads/a:refs/heads/b"}, "", "is not a valid ref name", "branch or a tag", operr.Usage},
		"an invalid file":                      {cirun.Flags{}, "  b: {runs-on: ubuntu-latest, step: []}\n", "ci.yml:11:", "commit it", operr.Failed},
		"a file that is not run here":          {cirun.Flags{}, "  b: {runs-on: my-own, steps: [{run: x}]}\n", "\"my-own\" is not one of GitHub's own runners", "GitHub can run this file", operr.Failed},
		"an action of others":                  {cirun.Flags{}, "  b: {runs-on: ubuntu-latest, steps: [{uses: goreleaser/goreleaser-action@v6}]}\n", "there is no stand-in for the action goreleaser/goreleaser-action", "GitHub can run this file", operr.Failed},
		"one of both kinds":                    {cirun.Flags{}, "  b: {runs-on: my-own, steps: [{uses: actions/checkout}]}\n", "\"my-own\" is not one of GitHub's own runners", "commit it", operr.Failed},
		"a step that fails":                    {cirun.Flags{}, "      - {name: breaks, run: exit 7}\n", "ci.yml:11: the step \"breaks\" of the job a ended with failure; the job may: contents: write, id-token: write (permissions in line 3); no environment (the job is in line 5)", "-job=a", operr.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := run(t, c.flags, c.extra)
			require.ErrorContains(t, err, c.want)
			require.Contains(t, operr.NextOf(err), c.next)
			require.Equal(t, c.status, operr.ExitStatus(err))
		})
	}
}

// A pull request's base and source are the same as on GitHub. For a push, the run says why GitHub would not start the workflow.
func TestPayloadsOfEvents(t *testing.T) {
	const tells = "  b:\n    runs-on: ubuntu-latest\n    steps: [{run: 'echo \"${{ github.event.pull_request.head.repo.full_name == github.repository }} " +
		"${{ github.event.pull_request.base.repo.fork }} ${{ github.event.pull_request.base.sha == github.sha }}\"'}]\n"
	said, _, err := run(t, cirun.Flags{Event: "pull_request", Job: "b"}, tells)
	require.NoError(t, err, said)
	require.Contains(t, said, "b │ true false false\n")
	require.Contains(t, said, "a stand-in for each secret")
	said, _, err = run(t, cirun.Flags{Event: "pull_request", Fork: true, Job: "b"}, tells)
	require.NoError(t, err, said)
	require.Contains(t, said, "b │ false false false\n")
	require.Contains(t, said, "no secrets, because the event comes from a fork")

	const other = ".github/workflows/other.yml"
	jobs := "jobs: {b: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n"
	said, _, err = runOther(t, cirun.Flags{File: "other.yml"}, other, "on: {push: {branches: [main], paths: [x]}}\n"+jobs)
	require.NoError(t, err, said)
	require.Contains(t, said, "○ GitHub would not start this workflow for this event: .github/workflows/other.yml:1 starts for branches that match main")
	_, _, err = runOther(t, cirun.Flags{File: "other.yml"}, other, "on: workflow_call\n"+jobs)
	require.ErrorContains(t, err, "does not start for push, but for workflow_call")
	require.Contains(t, operr.NextOf(err), "the file starts only if a job of another file calls it")
	_, _, err = runOther(t, cirun.Flags{File: "other.yml", Event: "workflow_call"}, other, "on: workflow_call\n"+jobs)
	require.ErrorContains(t, err, "is not run here")
	require.Contains(t, operr.NextOf(err), "GitHub can run this file")
}

// Besides secrets, GitHub gives a job ID tokens, approvals and variables. Each has a stand-in, and the run says so.
func TestStandIns(t *testing.T) {
	const extra = `  b:
    if: vars.DEPLOY != 'off'
    environment: staging
    runs-on: ubuntu-latest
    steps:
      - run: 'echo "[${{ vars.DEPLOY }}] [$KEY]"; curl -sS -H "Authorization: Bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=me" | cut -c1-12'
        env: {KEY: "${{ secrets.OF_STAGING == 'stand-in-for-of_staging-of-staging' }}"}
      - {id: app, uses: actions/create-github-app-token@v3, with: {client-id: "${{ vars.DEPLOY }}", private-key: "${{ secrets.Key }}"}}
      - run: '[ -n "${{ steps.app.outputs.token }}" ]'
`
	said, _, err := run(t, cirun.Flags{Job: "b"}, extra)
	require.NoError(t, err, said)
	require.Contains(t, said, "b │ [stand-in-for-deploy] [true]\n")
	require.Contains(t, said, "b │ {\"count\":", "the token service has answered")
	require.Contains(t, said, "○ these variables have placeholders instead of their values: DEPLOY\n")
	require.Contains(t, said, "○ b has an ID token with the same claims as GitHub's")
	require.Contains(t, said, "○ the environment staging needs no approval here")
}

// A killed run cannot remove its files, so the next run removes them.
func TestNextRunCleansUpAfterAKill(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	left, remove, err := scratch.Make("", "ci-run-")
	require.NoError(t, err)
	defer remove()
	killed := filepath.Join(os.TempDir(), "ci-run-1")
	require.NoError(t, os.CopyFS(killed, os.DirFS(left)))
	require.NoError(t, os.Chmod(killed, 0o700))
	said, _, err := run(t, cirun.Flags{}, "")
	require.NoError(t, err, said)
	all, err := filepath.Glob(filepath.Join(os.TempDir(), "ci-run-*"))
	require.NoError(t, err)
	require.Equal(t, []string{left}, all, "the folder that another run is using stays")
}

// The run leaves no file, and changes nothing in the repository.
func TestNothingIsLeft(t *testing.T) {
	before, err := filepath.Glob(filepath.Join(os.TempDir(), "ci-run-*"))
	require.NoError(t, err)
	said, _, err := run(t, cirun.Flags{}, "      - run: chmod -R a-w . || true\n      - run: git push -q origin HEAD:refs/heads/new\n")
	require.NoError(t, err, said)
	after, err := filepath.Glob(filepath.Join(os.TempDir(), "ci-run-*"))
	require.NoError(t, err)
	require.LessOrEqual(t, len(after), len(before), strings.Join(after, " "))
}

// TestHostileForkWithCaches lets a job of a fork replace every program that it finds in a cache. The person's next command still runs the person's
// programs.
func TestHostileForkWithCaches(t *testing.T) {
	home := t.TempDir()
	files := map[string]string{
		"XDG_CACHE_HOME":        ".cache/pixi-release/tools/k/bin/uv",
		"GOCACHE":               ".cache/go-build/aa",
		"GOMODCACHE":            "go/pkg/mod/x@v1/x.go",
		"UV_PYTHON_INSTALL_DIR": "pythons/cpython-3.13/bin/python3",
	}
	for variable, name := range files {
		name = filepath.Join(home, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte("mine"), 0o755))
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("GOPATH", "")
	t.Setenv("UV_PYTHON_INSTALL_DIR", filepath.Join(home, "pythons"))
	const replaces = `      - run: for d in $XDG_CACHE_HOME $GOCACHE $GOMODCACHE $UV_PYTHON_INSTALL_DIR $HOME; do find "$d" -type f | while read -r f; do echo fake >"$f"; done; done` + "\n"
	said, _, err := run(t, cirun.Flags{Event: "pull_request", Fork: true}, replaces)
	require.NoError(t, err, said)
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join(home, name))
		require.NoError(t, err)
		require.Equal(t, "mine", string(text), name)
	}
}
