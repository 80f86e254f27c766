package runner_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/standin"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/command/argvtest"
)

func TestMain(m *testing.M) { os.Exit(argvtest.Main(m)) }

// bench is a repository with one workflow, and a runner for that workflow.
type bench struct {
	t       *testing.T
	config  runner.Config
	event   runner.Event
	files   fstest.MapFS
	runner  *runner.Runner
	only    string
	commits []string
}

// newBench makes a repository with two commits, a tag at the first one, a README, and the given files.
func newBench(t *testing.T, files map[string]string) *bench {
	t.Helper()
	dir := t.TempDir()
	work, remote := filepath.Join(dir, "their work"), filepath.Join(dir, "remote.git")
	b := &bench{t: t, files: fstest.MapFS{}}
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = work
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.TrimSpace(string(out))
	}
	require.NoError(t, os.MkdirAll(work, 0o755))
	git("init", "-q", "-b", "main")
	for i, text := range []string{"one", "two"} {
		require.NoError(t, os.WriteFile(filepath.Join(work, "README"), []byte(text), 0o644))
		for name, text := range files {
			b.files[name] = &fstest.MapFile{Data: []byte(text)}
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(work, name)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(work, name), []byte(text), 0o644))
		}
		git("add", "-A")
		git("commit", "-qm", text)
		if i == 0 {
			git("tag", "v1")
		}
		b.commits = append(b.commits, git("rev-parse", "HEAD"))
	}
	git("clone", "-q", "--bare", work, remote)
	b.config = runner.Config{
		Runner:     command.NewSystem(os.Environ(), nil),
		Environ:    []string{"PATH=" + os.Getenv("PATH")},
		Dir:        filepath.Join(dir, "jobs"),
		Files:      b.files,
		Remote:     remote,
		Repository: "octo/tools",
		Actions:    standin.All,
		Parallel:   4,
	}
	b.event = runner.Event{
		Name:  "push",
		Ref:   "refs/heads/main",
		SHA:   b.commits[1],
		Actor: "octocat",
	}
	return b
}

// try runs a workflow. It adds `on: push` if the text has no events.
func (b *bench) try(text string) (*runner.Result, error) {
	b.t.Helper()
	if !strings.HasPrefix(text, "on:") {
		text = "on: push\n" + text
	}
	w, err := file.Read("ci.yml", []byte(text))
	require.NoError(b.t, err)
	if b.runner == nil {
		b.runner = runner.New(b.config)
	}
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	return b.runner.Run(ctx, w, b.event, b.only)
}

func (b *bench) run(text string) *runner.Result {
	b.t.Helper()
	r, err := b.try(text)
	require.NoError(b.t, err)
	return r
}

// job runs a job with the given steps and returns its only leg.
func (b *bench) job(steps string) *runner.Leg {
	b.t.Helper()
	r := b.run("jobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" + indent(steps, 6))
	require.Len(b.t, r.Jobs[0].Legs, 1, r.Jobs[0].Why)
	return r.Jobs[0].Legs[0]
}

func indent(text string, n int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.Repeat(" ", n) + line)
	}
	return b.String()
}

// log returns the output of all steps of a leg.
func log(l *runner.Leg) string {
	var b strings.Builder
	var add func(steps []*runner.Step)
	add = func(steps []*runner.Step) {
		for _, s := range steps {
			for _, line := range s.Log {
				if !strings.HasPrefix(line, "$ ") {
					fmt.Fprintln(&b, line)
				}
			}
			add(s.Steps)
		}
	}
	add(l.Steps)
	return b.String()
}

// conclusions returns the conclusions of all jobs, for example "a=success b=skipped".
func conclusions(r *runner.Result) string {
	var all []string
	for _, j := range r.Jobs {
		all = append(all, j.ID+"="+j.Conclusion)
	}
	return strings.Join(all, " ")
}

func TestSteps(t *testing.T) {
	for name, c := range map[string]struct{ steps, log, conclusions string }{
		"bash ends at the first error":         {"- run: |\n    false\n    echo on", "error: bash ended with exit status 1\n", "failure"},
		"no pipefail where no shell is named":  {"- run: false | true", "", "success"},
		"pipefail with bash":                   {"- run: false | true\n  shell: bash", "error: bash ended with exit status 1\n", "failure"},
		"sh":                                   {"- run: echo $0 | sed 's/.*step-1$/script/'\n  shell: sh", "script\n", "success"},
		"python":                               {"- run: print(1 + 1)\n  shell: python3 {0}", "2\n", "success"},
		"a shell that is not known":            {"- run: x\n  shell: fish", "error: unknown shell \"fish\": expected bash, sh, python, pwsh, or a command line with {0} for the script\n", "failure"},
		"a step is skipped after a failure":    {"- run: exit 3\n- run: echo no\n- run: echo yes\n  if: failure()\n- run: echo always ${{ job.status }}\n  if: always()", "error: bash ended with exit status 3\nyes\nalways failure\n", "failure skipped success success"},
		"continue-on-error":                    {"- run: exit 1\n  id: x\n  continue-on-error: true\n- run: echo ${{ steps.x.outcome }} ${{ steps.x.conclusion }}", "error: bash ended with exit status 1\nfailure success\n", "success success"},
		"outputs":                              {"- run: |\n    echo a=1 >> $GITHUB_OUTPUT\n    printf 'b<<X\\n1\\n2\\nX\\n' >> $GITHUB_OUTPUT\n  id: x\n- run: echo '${{ toJSON(steps.x.outputs) }}'", "{\n  \"a\": \"1\",\n  \"b\": \"1\\n2\"\n}\n", "success success"},
		"GITHUB_ENV":                           {"- run: echo X=1 >> $GITHUB_ENV\n- run: echo $X ${{ env.X }}\n- run: echo $X ${{ env.X }}\n  env:\n    X: 2", "1 1\n2 2\n", "success success success"},
		"no GITHUB_ variable is set by a file": {"- run: echo $GITHUB_REF $RUNNER_OS $CI\n  env: {GITHUB_REF: x, RUNNER_OS: x, CI: no}", "refs/heads/main Linux no\n", "success"},
		"NODE_OPTIONS":                         {"- run: echo NODE_OPTIONS=x >> $GITHUB_ENV", "error: GITHUB_ENV may not set NODE_OPTIONS\n", "failure"},
		"GITHUB_PATH":                          {"- run: |\n    mkdir p q; for d in p q; do echo 'echo from '$d > $d/tool; chmod +x $d/tool; echo $PWD/$d >> $GITHUB_PATH; done\n- run: tool", "from q\n", "success success"},
		"a malformed output fails the step":    {"- run: echo nothing >> $GITHUB_OUTPUT", "error: unable to process file command 'output' successfully: invalid format \"nothing\"\n", "failure"},
		"working-directory":                    {"- run: mkdir d\n- run: basename $PWD\n  working-directory: d\n- run: x\n  working-directory: e", "d\nerror: the folder e of working-directory does not exist (is a checkout missing?)\n", "success success failure"}, "timeout-minutes": {"- run: sleep 20\n  timeout-minutes: 0.002\n- run: echo x\n  if: failure()", "error: the step took longer than its timeout-minutes\nx\n", "failure success"},
		"commands":               {"- run: |\n    echo '::group::one'\n    echo '  ::error file=a.py,line=3,title=A%2CB::m%0An'\n    echo '::endgroup::'\n    echo '::unknown::'", "▸ one\nerror: m\nerror: n\n::unknown::\n", "success"},
		"masks":                  {"- run: |\n    echo '::add-mask::hidden'\n    echo it is hidden\n- run: echo hidden too", "it is ***\n*** too\n", "success success"},
		"stop-commands":          {"- run: |\n    echo '::stop-commands::over'\n    echo '::error::x'\n    echo '::over::'\n    echo '::warning::y'", "::stop-commands::over\n::error::x\n::over::\nwarning: y\n", "success"},
		"set-output":             {"- run: echo '::set-output name=a::b%25'\n  id: x\n- run: echo '${{ steps.x.outputs.a }}'", "b%\n", "success success"},
		"set-env":                {"- run: echo '::set-env name=a::b'", "error: set-env is disabled on GitHub: write to GITHUB_ENV or GITHUB_PATH instead\n", "failure"},
		"a missing local action": {"- uses: ./x", "error: ci.yml:6:15: there is no action.yml in ./x (is a checkout missing before this step?)\n", "failure"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newBench(t, nil).job(c.steps)
			require.Equal(t, c.log, log(l), l.Why)
			var all []string
			for _, s := range l.Steps {
				all = append(all, s.Conclusion)
			}
			require.Equal(t, c.conclusions, strings.Join(all, " "))
		})
	}
}
