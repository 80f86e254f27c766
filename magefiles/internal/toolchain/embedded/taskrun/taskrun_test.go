package taskrun_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/taskrun"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// fixture is a workspace with tasks to run.
type fixture struct {
	options        taskrun.Options
	stdout, stderr *bytes.Buffer
	asked          []string // environments that were created
}

const head = `
[workspace]
name = "demo"
version = "0.1.0"
channels = ["https://prefix.dev/conda-forge"]
platforms = ["linux-64"]
`

// load writes a manifest, and the files that the scripts in testdata/deno.json expect.
func load(t *testing.T, manifest string) *fixture {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for name, text := range map[string]string{
		"pixi.toml": head + manifest, "a.py": "", "B.PY": "", ".hidden.py": "", "c.txt": "one\ntwo\nthree\n",
		"sub/d.py": "", "sub/e.txt": "e\n", "home/.keep": "",
		"bin/args": "#!/bin/sh\nprintf \"%s\" \"$#\"\nfor a in \"$@\"; do printf \" <%s>\" \"$a\"; done\necho\n",
		"bin/fail": "#!/bin/sh\necho out\necho err >&2\nexit ${1:-1}\n",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	f := &fixture{stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}}
	f.options = taskrun.Options{
		Manifest: w.Manifest,
		Root:     root,
		Platform: "linux-64",
		Env: func(_ context.Context, environment string) ([]string, error) {
			f.asked = append(f.asked, environment)
			return []string{
				"PATH=" + filepath.Join(root, "bin") + ":/usr/bin:/bin", "HOME=" + filepath.Join(root, "home"),
				"FOO=foo", "TWO=one two", "EMPTY=", "SPREAD=a  b", "PATTERN=*.py", "LINES=a\nb",
				"CONDA_PREFIX=/env/" + environment,
			}, nil
		},
		Runner: command.NewSystem(os.Environ(), nil),
		Stdout: f.stdout,
		Stderr: f.stderr,
	}
	return f
}

func (f *fixture) run(t *testing.T, task string, args ...string) error {
	t.Helper()
	f.options.Task, f.options.Args = task, args
	return taskrun.Run(t.Context(), f.options)
}

// code returns the exit status of a command's failure.
func code(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.Code
}

func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// testdata/deno.json was recorded with deno_task_shell 0.33.3, the shell of pixi 0.77, in a folder with the files that load writes. A ten-line Rust
// program passed each script to parser::parse and execute. Each of these scripts must be accepted here, with the same output and exit status.
func TestScriptsBehaveLikePixisShell(t *testing.T) {
	text, err := os.ReadFile("testdata/deno.json")
	require.NoError(t, err)
	var cases []struct {
		Script, Stdout string
		Exit           int
	}
	require.NoError(t, json.Unmarshal(text, &cases))
	for _, c := range cases {
		t.Run(c.Script, func(t *testing.T) {
			f := load(t, "[tasks]\nit = "+quoted(c.Script))
			err := f.run(t, "it")
			require.NotErrorIs(t, err, taskrun.ErrRefused)
			require.Equal(t, c.Exit, code(t, err), "%v\n%s", err, f.stderr)
			require.Equal(t, c.Stdout, strings.ReplaceAll(f.stdout.String(), f.options.Root, "<dir>"))
		})
	}
}

// recorded has the tasks used in the recorded pixi calls (pixi/pixitest/transcripts, run-*.txt).
const recorded = `
[tasks]
hello = "echo hello"
fails = "exit 7"
both = { depends-on = ["hello", "fails"] }
listed = { cmd = ["echo", "a b", "$HOME_TOWN"], cwd = "sub", env = { HOME_TOWN = "here" }, description = "A described task" }
[feature.dev.tasks]
test-core = "echo testing core"
test-all = { depends-on = ["test-core"] }
[environments]
dev = ["dev"]
`

func TestRecordedTasks(t *testing.T) {
	for _, c := range []struct {
		task, environment, stdout string
		exit                      int
	}{
		{"hello", "", "hello\n", 0},
		{"fails", "", "", 7},
		{"both", "", "hello\n", 7},
		{"listed", "", "a b here\n", 0},
		{"test-all", "dev", "testing core\n", 0},
	} {
		f := load(t, recorded)
		f.options.Environment = c.environment
		require.Equal(t, c.exit, code(t, f.run(t, c.task)), c.task)
		require.Equal(t, c.stdout, f.stdout.String(), c.task)
	}
}

func TestUnknownNames(t *testing.T) {
	f := load(t, recorded)
	err := f.run(t, "nothing-like-it")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))
	require.ErrorContains(t, err, "nothing-like-it")
	require.ErrorContains(t, err, "listed")
	f.options.Environment = "prod"
	err = f.run(t, "hello")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))
	require.ErrorContains(t, err, "prod")
	require.ErrorContains(t, err, "dev")
	require.Empty(t, f.asked)
}

// A script whose result could differ is rejected before anything runs, and the error names the reason.
func TestRefusals(t *testing.T) {
	for script, reason := range map[string]string{
		`echo {{ pixi.platform }}`:           "template",
		`echo {% if x %}`:                    "template",
		`cat <<E` + "\nx\nE":                 "here-document",
		`cat <<< x`:                          "here-document",
		`if true; then echo a; fi`:           "has if",
		`while true; do echo a; done`:        "while",
		`for i in a b; do echo $i; done`:     "for",
		`case a in a) echo;; esac`:           "case",
		`f() { echo a; }; f`:                 "a function",
		`{ echo a; }`:                        "{ … }",
		`[[ -f a ]]`:                         "[[ … ]]",
		`((1))`:                              "(( … ))",
		`time ls`:                            "time",
		`let x=1`:                            "let",
		`declare x=1`:                        "declare",
		`echo $$`:                            "$$",
		`echo $1 $@ $#`:                      "$1",
		`echo $RANDOM`:                       "$RANDOM",
		`echo $?`:                            "before anything has run",
		`echo ${HOME}`:                       "write $HOME",
		`echo ${X:-y}`:                       "${X:-y}",
		`sleep 1 &`:                          "background",
		`echo a & echo b`:                    "background",
		`ls ~root`:                           "~root",
		`echo "~"`:                           "double quotes",
		`pixi publish --path x`:              "calls pixi itself (pixi publish --path …)",
		`cd x && pixi run y`:                 "calls pixi itself",
		`echo "$(ls)"`:                       "double quotes",
		`X=$(ls)`:                            "is not a separate word",
		"echo `ls`":                          "write $(…)",
		`echo a$(ls)`:                        "is not a separate word",
		`echo $((1+1))`:                      "$((1 + 1))",
		`cat <(ls)`:                          "<(ls)",
		`echo $'a'`:                          "$'…'",
		`echo $"a"`:                          `$"…"`,
		`echo a\b`:                           `\b`,
		`echo "a\\b"`:                        `\\`,
		`echo \'`:                            `\'`,
		`echo {a,b}`:                         "braces",
		`echo {1..3}`:                        "braces",
		`echo **/*.py`:                       "**",
		`echo ./*.py`:                        "as a folder",
		`echo ../*.py`:                       "as a folder",
		`echo .*`:                            "hidden",
		`echo */`:                            "ends in /",
		`echo [^a]*`:                         "class",
		`echo "a"*`:                          "quotes or variables",
		`X=*.py; echo $X`:                    "a place for one word",
		`echo a>b`:                           "no blank",
		`echo a > b 2>&1`:                    "twice",
		`> b echo a`:                         "before the end",
		`> b`:                                "without a command",
		`echo a 3> b`:                        "descriptor 3",
		`echo a >| b`:                        ">|",
		`echo a >& b`:                        "a target other than 1 or 2",
		`cat <&0`:                            "<&",
		`A=1 B=2`:                            "several variables",
		`A+=1`:                               "other than NAME=value",
		`A=(1 2)`:                            "other than NAME=value",
		`PWD=x`:                              "sets PWD",
		`IFS=x`:                              "sets IFS",
		`export A`:                           "without NAME",
		`export -p`:                          "without NAME",
		`export "A=b"`:                       "without NAME",
		`export A=~/x`:                       "begins with ~",
		`export X="$A $B"`:                   "blanks and variables",
		`ls | export A=1`:                    "within a pipeline",
		`ls | exit 3`:                        "within a pipeline",
		`ls | cd sub`:                        "within a pipeline",
		`A=1 | ls`:                           "within a pipeline",
		`ls | ! cat`:                         "cannot be read",
		`! exit 3`:                           "! before exit",
		`!ls`:                                "after !",
		`exit`:                               "exit without a number",
		`exit 300`:                           "exit without a number",
		`exit abc`:                           "exit without a number",
		`cd`:                                 "cd without exactly one folder",
		`cd -`:                               "cd -",
		`set -euo pipefail`:                  "set with an option other",
		`set -x`:                             "set with an option other",
		`set -e; false || true`:              "set -e and &&",
		`set -e; ! true`:                     "set -e and &&",
		`unset -f x`:                         "unset",
		`shopt -s nullglob`:                  "shopt",
		`$CMD a`:                             "not known before it runs",
		`cp -a x y`:                          "cp with -a",
		`cp --archive x y`:                   "cp with --archive",
		`rm -v x`:                            "rm with -v",
		`mkdir -m 755 x`:                     "mkdir with -m",
		`cat -n x`:                           "cat with -n",
		`head -5 x`:                          "head with -5",
		`pwd -P`:                             "pwd with -P",
		`xargs -n 1 ls`:                      "xargs with -n",
		`echo "$SPREAD"`:                     "would split differently",
		`echo $PATTERN`:                      "would split differently",
		`echo $LINES`:                        "would split differently",
		`echo a > $TWO`:                      "would split differently",
		`export X=$TWO`:                      "would split differently",
		`X="a  b"; echo "$X"`:                "would split differently",
		`echo $PIXI_EXE`:                     "PIXI_EXE",
		`echo (a)`:                           "cannot be read",
		`echo "a`:                            "cannot be read",
		`1A=x ls`:                            "reads as a variable",
		`  `:                                 "empty command",
		`coproc ls`:                          "coproc",
		`select x in a; do echo; done`:       "for or select",
		`echo @(a|b)`:                        "@(a|b)",
		`echo a` + "\u00a0" + `b`:            "blank",
		`echo "$(( 1 ))"`:                    "in double quotes",
		`X=a:~/b`:                            "after a colon",
		`(pixi build)`:                       "calls pixi itself",
		`ls | xargs cat && /opt/bin/pixi -V`: "calls pixi itself",
	} {
		t.Run(script, func(t *testing.T) {
			f := load(t, "[tasks]\nit = "+quoted(script)+"\nfirst = 'echo ran'\nall = { depends-on = ['first', 'it'] }")
			err := f.run(t, "all")
			require.ErrorIs(t, err, taskrun.ErrRefused)
			require.ErrorContains(t, err, reason)
			require.ErrorContains(t, err, "pixi.toml:")
			require.Equal(t, operr.Failed, operr.ExitStatus(err))
			require.Empty(t, f.stdout.String(), "something ran before the refusal")
			require.Empty(t, f.stderr.String())
		})
	}
}

// These refusals are about other fields of a task than its command.
func TestRefusedTasks(t *testing.T) {
	for manifest, reason := range map[string]string{
		`it = { cmd = "echo {{ x }}", args = ["x"] }`:                                   "typed args",
		`it = { cmd = "ls", clean-env = true }`:                                         "clean-env",
		`it = { cmd = "ls", cwd = "nowhere" }`:                                          `cwd "nowhere"`,
		`it = { cmd = "ls", cwd = "a.py" }`:                                             `cwd "a.py"`,
		`it = { cmd = "ls", env = { "A-B" = "x" } }`:                                    "A-B",
		`it = { cmd = "ls", env = { A = "{{ x }}" } }`:                                  "template",
		`it = { cmd = "ls", env = { A = "$(ls)" } }`:                                    "double quotes",
		`it = { cmd = "ls", env = { A = 'a\b' } }`:                                      `\b`,
		`it = { cmd = "echo $A", env = { A = " a" } }`:                                  "would split differently",
		"a = 'ls'\nit = { depends-on = [{ task = 'a', args = ['{{ x }}'] }] }":          "template",
		"b = { depends-on = [] }\nit = { depends-on = [{ task = 'b', args = ['x'] }] }": "no command would get the arguments",
	} {
		t.Run(manifest, func(t *testing.T) {
			f := load(t, "[tasks]\n"+manifest)
			err := f.run(t, "it")
			require.ErrorIs(t, err, taskrun.ErrRefused)
			require.ErrorContains(t, err, reason)
			require.Empty(t, f.stdout.String())
		})
	}
}

// The error lists the reasons for all tasks. If a task calls pixi to build, the error suggests our build target.
func TestRefusalHasANextStep(t *testing.T) {
	f := load(t, `
[tasks]
build-a = "pixi publish --path a --target-dir out"
build-b = "pixi publish --path b --target-dir out"
build-all = { depends-on = ["build-a", "build-b"] }`)
	err := f.run(t, "build-all")
	require.ErrorContains(t, err, "task build-all cannot be run without pixi: pixi.toml:")
	full := fmt.Sprintf("%+v", err)
	require.Contains(t, full, "task build-a calls pixi itself")
	require.Contains(t, full, "task build-b calls pixi itself")
	require.Contains(t, full, "→ to build packages without pixi, run `mage build:all`")
	f.options.Task = "build-all"
	require.ErrorIs(t, taskrun.Check(f.options), taskrun.ErrRefused)
}

func TestDependencies(t *testing.T) {
	f := load(t, `
[tasks]
base = "echo base"
left = { cmd = "echo left", depends-on = ["base"] }
right = { cmd = "echo right", depends-on = ["base", { task = "base", args = ["again"] }] }
top = { cmd = "echo top", depends-on = ["left", "right"] }
stops = { cmd = "echo never", depends-on = ["left", "bad", "right"] }
bad = "exit 9"
alias = [{ task = "base" }]
round = { cmd = "ls", depends-on = ["trip"] }
trip = { cmd = "ls", depends-on = ["round"] }
lost = { depends-on = ["gone"] }
inputs = { cmd = "echo made", inputs = ["a.py"], outputs = ["c.txt"] }
`)
	require.NoError(t, f.run(t, "top", "x", "it's"))
	require.Equal(t, "base\nleft\nbase again\nright\ntop x it's\n", f.stdout.String())
	require.Equal(t, "task base: echo base\ntask left: echo left\ntask base: echo base 'again'\ntask right: echo right\n"+
		"task top: echo top 'x' 'it'\"'\"'s'\n", f.stderr.String())

	f.stdout.Reset()
	err := f.run(t, "stops")
	require.Equal(t, 9, code(t, err))
	require.ErrorContains(t, err, "task bad")
	require.Equal(t, "base\nleft\n", f.stdout.String())

	f.stdout.Reset()
	require.NoError(t, f.run(t, "alias"))
	require.Equal(t, "base\n", f.stdout.String())

	require.ErrorContains(t, f.run(t, "round"), "round → trip → round")
	err = f.run(t, "lost")
	require.ErrorContains(t, err, "task lost depends on gone")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))

	f.stderr.Reset()
	require.NoError(t, f.run(t, "inputs"))
	require.Contains(t, f.stderr.String(), "(inputs and outputs are not compared)")
}

func TestEnvironment(t *testing.T) {
	f := load(t, `
[activation.env]
ACTIVATED = "$CONDA_PREFIX/x ${FOO}"
PLAIN = "a  b"
[tasks]
show = { cmd = "sh -c 'echo \"$PIXI_PROJECT_NAME $PIXI_PROJECT_VERSION $PIXI_ENVIRONMENT_NAME $PIXI_IN_SHELL $CONDA_DEFAULT_ENV $ACTIVATED $PLAIN $A $B\"'", env = { A = "1", B = "$A-2" } }
where = { cmd = "sh -c 'echo $INIT_CWD $PIXI_PROJECT_ROOT $PIXI_PROJECT_MANIFEST $PWD'", cwd = "sub" }
over = { cmd = "echo $FOO", env = { FOO = "task" } }
[feature.dev.tasks]
own = "echo $PIXI_ENVIRONMENT_NAME"
chain = { cmd = "echo $PIXI_ENVIRONMENT_NAME", depends-on = ["own", { task = "over", environment = "default" }, { task = "own", environment = "dev" }] }
[environments]
dev = ["dev"]
`)
	require.NoError(t, f.run(t, "show"))
	require.Equal(t, "demo 0.1.0 default 1 demo /env/default/x foo a  b 1 1-2\n", f.stdout.String())

	f.stdout.Reset()
	f.options.InitCwd = "/somewhere"
	require.NoError(t, f.run(t, "where"))
	root := f.options.Root
	require.Equal(t, fmt.Sprintf("/somewhere %s %s/pixi.toml %s/sub\n", root, root, root), f.stdout.String())

	f.stdout.Reset()
	require.NoError(t, f.run(t, "over"))
	require.Equal(t, "task\n", f.stdout.String())

	f.stdout.Reset()
	f.asked = nil
	require.NoError(t, f.run(t, "chain")) // `own` runs twice, as in pixi, because it is listed both with and without its environment
	require.Equal(t, "dev\ntask\ndev\ndev\n", f.stdout.String())
	require.Equal(t, []string{"dev", "default"}, f.asked)

	f = load(t, "[activation]\nscripts = ['a.sh']\n[tasks]\nit = 'ls'")
	err := f.run(t, "it")
	require.ErrorIs(t, err, taskrun.ErrRefused)
	require.ErrorContains(t, err, "activation script a.sh")
	f = load(t, "[activation.env]\nX = '$(ls)'\n[tasks]\nit = 'ls'")
	require.ErrorContains(t, f.run(t, "it"), "needs a shell")
}

// writer calls a function at every write.
type writer func()

func (w writer) Write(p []byte) (int, error) {
	w()
	return len(p), nil
}

func TestEndsWithTheContext(t *testing.T) {
	f := load(t, "[tasks]\nit = 'sh -c \"echo started; exec sleep 1000\" | sort; echo after'\nnow = 'sh -c \"echo started; exec sleep 1000\"'")
	for _, task := range []string{"it", "now"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("the operator went away")
		if task == "it" {
			f.options.Stderr = writer(func() { cancel(reason) }) // cancel before the first command
		} else {
			f.options.Stderr, f.options.Stdout = f.stderr, writer(func() { cancel(reason) }) // cancel during the command
		}
		f.options.Task = task
		require.ErrorIs(t, taskrun.Run(ctx, f.options), reason)
	}
	require.Empty(t, f.stdout.String())
}

// Secrets in a task's output are not masked, because the output may be piped or redirected. They are masked only where output is displayed.
func TestPipedOutputIsNotMasked(t *testing.T) {
	for script, want := range map[string]string{
		`args the-branch | tr a-z A-Z`:           "1 <THE-BRANCH>\n",
		`args the-branch > out.txt; cat out.txt`: "1 <the-branch>\n",
		`args $(args the-branch)`:                "2 <1> <<the-branch>>\n",
	} {
		f := load(t, "[tasks]\nt = "+quoted(script)+"\n")
		f.options.Runner = command.NewSystem(os.Environ(), []string{"the-branch"})
		require.NoError(t, f.run(t, "t"), script)
		require.Equal(t, want, f.stdout.String(), script)
	}
	f := load(t, "[tasks]\nt = \"args the-branch > out.txt\"\n")
	f.options.Runner = command.NewSystem(os.Environ(), []string{"the-branch"})
	require.NoError(t, f.run(t, "t"))
	written, err := os.ReadFile(filepath.Join(f.options.Root, "out.txt"))
	require.NoError(t, err)
	require.Equal(t, "1 <the-branch>\n", string(written))
}
