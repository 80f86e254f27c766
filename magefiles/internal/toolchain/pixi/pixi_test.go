package pixi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi"
	"github.com/foopack/foopack/magefiles/internal/toolchain/pixi/pixitest"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// setUp puts a stand-in on PATH and returns it as a Pixi.
func setUp(t *testing.T, b pixitest.Behavior, environ ...string) (*pixi.Pixi, *pixitest.Standin) {
	t.Helper()
	s := pixitest.Install(t, b)
	env := s.Env(command.Setenv(os.Environ(), environ...))
	p, err := pixi.Find(t.Context(), command.NewSystem(env, nil), env)
	require.NoError(t, err)
	return p, s
}

// demo has the tasks used in the recorded calls.
const demo = `[workspace]
name = "demo"
version = "0.1.0"
channels = ["https://prefix.dev/conda-forge"]
platforms = ["linux-64"]
[tasks]
hello = "echo hello"
fails = "exit 7"
both = { depends-on = ["hello", "fails"] }
[feature.dev.tasks]
test-core = "echo testing core"
test-all = { depends-on = ["test-core"] }
[environments]
dev = ["dev"]
`

func folder(t *testing.T, manifest string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte(manifest), 0o644))
	return dir
}

func TestFind(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{})
	text, err := p.Describe(t.Context())
	require.NoError(t, err)
	require.Equal(t, "pixi 0.77.0", text, "only doctor prints the path")
	require.Equal(t, "pixi", p.Name())

	env := []string{"PATH=" + t.TempDir()}
	_, err = pixi.Find(t.Context(), command.NewSystem(env, nil), env)
	require.ErrorIs(t, err, command.ErrNotFound)

	env = s.Env(os.Environ())
	for version, says := range map[string]string{
		"0.69.3":  "needs pixi 0.70 or newer",
		"0.9.0":   "needs pixi 0.70 or newer",
		"banana":  "is not pixi",
		"1.2":     "is not pixi",
		"0.70.0":  "",
		"0.100.0": "",
		"1.0.0":   "",
	} {
		s.Behave(pixitest.Behavior{Version: version})
		p, err := pixi.Find(t.Context(), command.NewSystem(env, nil), env)
		if says != "" {
			require.ErrorContains(t, err, says, version)
			require.Contains(t, fmt.Sprintf("%+v", err), pixi.Version)
			continue
		}
		require.NoError(t, err)
		text, err := p.Describe(t.Context())
		require.NoError(t, err)
		require.Contains(t, text, "but the pinned version is "+pixi.Version)
	}
}

func TestRun(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{}, "PIXI_IN_SHELL=1", "PIXI_PROJECT_MANIFEST=/elsewhere/pixi.toml", "PIXI_FROZEN=true")
	dir := folder(t, demo)
	run := func(environment, name string, args ...string) (string, error) {
		var out, errOut bytes.Buffer
		err := p.Run(t.Context(), toolchain.Task{
			Dir:         dir,
			Environment: environment,
			Name:        name,
			Args:        args,
			Stdout:      &out,
			Stderr:      &errOut,
		})
		return out.String(), err
	}
	out, err := run("", "hello", "a b", "it's")
	require.NoError(t, err)
	require.Equal(t, "hello a b it's\n", out)
	out, err = run("dev", "test-all")
	require.NoError(t, err)
	require.Equal(t, "testing core\n", out)

	out, err = run("", "both")
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 7, exit.Code)
	require.Equal(t, "hello\n", out)

	require.Equal(t, []string{
		"--version", "task list --json", `run hello a b it'"'"'s`, "task list --json", "run --environment=dev test-all", "task list --json", "run both",
	}, s.Commands())
	for _, c := range s.Calls() {
		require.Equal(t, []string{"PIXI_FROZEN=true"}, c.Env, "only variables that would mislead pixi are removed")
	}
}

func TestRunUnknownNames(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{})
	dir := folder(t, demo)
	for _, c := range []struct{ environment, name, says string }{
		{"", "nothing-like-it", `no task named "nothing-like-it"; there are both, fails, hello, test-all, test-core`},
		{"dev", "nothing-like-it", `no task named "nothing-like-it" in environment dev; there are both`},
		{"default", "test-all", `no task named "test-all" in environment default`},
		{"prod", "hello", `no environment named "prod"; there are default, dev`},
		{"", "fmt", `no task named "fmt"`}, // pixi would find this on PATH and run it
		{"", "--help", `no task named "--help"`},
	} {
		err := p.Run(t.Context(), toolchain.Task{Dir: dir, Environment: c.environment, Name: c.name})
		require.ErrorContains(t, err, c.says)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
	}
	require.NotContains(t, strings.Join(s.Commands(), "\n"), "run", "nothing was run")
}

func TestPixiErrors(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{StaleLock: true}, "PIXI_FROZEN=1")
	dir := folder(t, demo)
	task := toolchain.Task{Dir: dir, Name: "hello"}

	err := p.Run(t.Context(), task)
	require.EqualError(t, err, "pixi does not accept the value 1 for the environment variable PIXI_FROZEN")
	require.Equal(t, operr.Usage, operr.ExitStatus(err))

	env := s.Env(os.Environ())
	p, err = pixi.Find(t.Context(), command.NewSystem(env, nil), env)
	require.NoError(t, err)
	err = p.Run(t.Context(), task)
	require.EqualError(t, err, "pixi.lock does not match the manifest")
	require.Contains(t, fmt.Sprintf("%+v", err), "`mage lock`")
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)

	empty := t.TempDir()
	err = p.Run(t.Context(), toolchain.Task{Dir: empty, Name: "hello"})
	require.ErrorContains(t, err, "there is no pixi workspace in "+empty)

	s.Behave(pixitest.Behavior{Killed: true})
	err = p.Run(t.Context(), task)
	require.ErrorAs(t, err, &exit)
	require.Equal(t, syscall.SIGTERM, exit.Signal)
}

func TestLock(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{StaleLock: true})
	dir := folder(t, demo)
	err := p.Lock(t.Context(), dir, true, nil)
	require.EqualError(t, err, "locking "+dir+": pixi.lock does not match the manifest")
	require.Contains(t, fmt.Sprintf("%+v", err), "→ update pixi.lock with `mage lock`")
	require.NoFileExists(t, filepath.Join(dir, "pixi.lock"), "a check writes nothing")
	require.NoError(t, p.Lock(t.Context(), dir, false, nil))
	require.FileExists(t, filepath.Join(dir, "pixi.lock"))
	s.Behave(pixitest.Behavior{})
	var log bytes.Buffer
	require.NoError(t, p.Lock(t.Context(), dir, true, &log))
	require.Contains(t, log.String(), "lock file would not change")
	require.Equal(t, []string{"--version", "lock --check --dry-run", "lock", "lock --check --dry-run"}, s.Commands())
}

// Reasons for which a solver cannot get its packages are reported as one sentence with a next step.
func TestErrorsOfChannels(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{})
	dir := folder(t, demo)
	for name, says := range map[string]string{
		"lock-no-candidates": "the environment cannot be solved: no channel has py-nothing-has-this >=1.50",
		"lock-no-channel":    "a channel does not exist, or this login may not read it",
		"lock-refused":       "a channel refused a request of pixi (401)",
		"lock-unreachable":   "a channel cannot be reached",
	} {
		s.Behave(pixitest.Behavior{LockSays: name})
		err := p.Lock(t.Context(), dir, false, nil)
		require.EqualError(t, err, "locking "+dir+": "+says, name)
		said := fmt.Sprintf("%+v", err)
		require.Contains(t, said, "for platform", "pixi's message names the platform")
		require.Contains(t, said, "\n→ ")
	}

	s.Behave(pixitest.Behavior{})
	dir = folder(t, demo+"[feature.own.tasks]\nasks = \"echo 'Error: client error (Connect)' >&2; exit 1\"\n[environments.own]\nfeatures = [\"own\"]\n")
	err := p.Run(t.Context(), toolchain.Task{Dir: dir, Name: "asks", Environment: "own"})
	var exit *command.ExitError
	require.ErrorAs(t, err, &exit)
	require.NotContains(t, err.Error(), "channel", "it is the task's own error")
}

func TestInstall(t *testing.T) {
	p, s := setUp(t, pixitest.Behavior{}, "PIXI_FROZEN=true")
	dir := filepath.Join(t.TempDir(), "clean")
	environment, err := p.Install(t.Context(), toolchain.Install{
		Dir:      dir,
		Channels: []string{"https://channels.example/ours", "https://prefix.dev/conda-forge"},
		Specs:    []string{"plain ==0.1.0", "pinned", "built ==1 py*"},
	})
	require.NoError(t, err)
	require.True(t, environment.Solved)
	require.Equal(t, filepath.Join(dir, ".pixi", "envs", "default"), environment.Dir)
	out, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{
		Name: environment.Python,
		Args: []string{"-c", "print('here')"},
	})
	require.NoError(t, err)
	require.Equal(t, "here", out)
	text, err := os.ReadFile(filepath.Join(dir, "pixi.toml"))
	require.NoError(t, err)
	require.Equal(t, `[workspace]
name = "install"
channels = ["https://channels.example/ours", "https://prefix.dev/conda-forge"]
platforms = ["`+workspace.HostPlatform()+`"]

[dependencies]
"plain" = "==0.1.0"
"pinned" = "*"
"built" = { version = "==1", build = "py*" }
`, string(text))
	call := s.Calls()[1]
	require.Equal(t, []string{"install"}, call.Args)
	require.Equal(t, []string{"PIXI_CACHE_REPODATA_DIR=" + filepath.Join(dir, ".repodata")}, call.Env)

	_, err = p.Install(t.Context(), toolchain.Install{Dir: dir})
	require.ErrorContains(t, err, "this folder already exists")
	_, err = p.Install(t.Context(), toolchain.Install{Dir: dir + "2", Specs: []string{"a >=1, <2 x"}})
	require.ErrorContains(t, err, "without blanks")
	require.NoDirExists(t, dir+"2")
	s.Behave(pixitest.Behavior{StaleLock: true})
	_, err = p.Install(t.Context(), toolchain.Install{Dir: dir + "3", Specs: []string{"plain"}})
	require.ErrorContains(t, err, "installing plain: ")
}

func TestEndsWithTheContext(t *testing.T) {
	p, _ := setUp(t, pixitest.Behavior{})
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("the operator went away")
	cancel(reason)
	require.ErrorIs(t, p.Lock(ctx, t.TempDir(), false, nil), reason)
}
