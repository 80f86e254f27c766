// Package pythontest provides Go tests with a Python environment that has exactly the packages pinned in a requirements file, to test our side of a
// protocol with its real clients.
//
// An environment is created once, in the user's cache directory, under a name derived from the contents of the requirements file and the
// interpreter. Later runs, and tests of other packages that run concurrently, reuse it. Creating an environment requires network access to PyPI,
// and takes as long as pip does.
package pythontest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Env returns the path of the Python interpreter in a virtual environment with the packages of the requirements file. The file must pin every
// package with hashes (uv pip compile --universal --generate-hashes). Only wheels are installed.
func Env(t testing.TB, requirementsFile string) string {
	t.Helper()
	pins, err := os.ReadFile(requirementsFile)
	require.NoError(t, err)
	return EnvOf(t, pins)
}

// EnvOf is like Env, but takes the contents of a requirements file.
func EnvOf(t testing.TB, pins []byte) string {
	t.Helper()
	base := Interpreter(t)
	dir := Once(t, "venv", func(dir string) {
		t.Logf("making a Python environment in %s", dir)
		list := filepath.Join(dir, "requirements.txt")
		require.NoError(t, os.WriteFile(list, pins, 0o644))
		mustRun(t, "on Debian and Ubuntu, venv is in the package python3-venv", base.Path, "-m", "venv", "--clear", filepath.Join(dir, "env"))
		mustRun(t, "pip needs to reach PyPI once", filepath.Join(dir, "env", "bin", "python"), "-m", "pip", "install",
			"--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", list)
	}, pins, []byte(base.Path), []byte(base.Version))
	return filepath.Join(dir, "env", "bin", "python")
}

// Python is a Python interpreter on this machine.
type Python struct {
	Path    string // the executable itself, not a shim
	Version string // such as "3.11.7"
}

// Interpreter finds a Python 3.11 or later in PATH. It fails the test if there is none.
func Interpreter(t testing.TB) Python {
	t.Helper()
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(t.Context(), path, "-c",
			"import sys; assert sys.version_info >= (3, 11); print(sys.executable); print('%d.%d.%d' % sys.version_info[:3])").Output()
		if lines := strings.Fields(string(out)); err == nil && len(lines) == 2 {
			return Python{Path: lines[0], Version: lines[1]}
		}
	}
	require.FailNow(t, "this test runs a real Python client and needs Python 3.11 or later, with venv, but PATH has none")
	return Python{}
}

// Once returns a folder that was filled by `make`, either now or earlier, possibly by another process. Callers with the same kind and inputs share
// the folder and must not modify it. `make` is called with an empty folder. If a run is killed while it fills the folder, the next run starts over.
func Once(t testing.TB, kind string, make func(dir string), inputs ...[]byte) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	sum := sha256.New()
	for _, in := range inputs {
		h := sha256.Sum256(in)
		sum.Write(h[:])
	}
	dir := filepath.Join(cache, "pipeline-tests", kind+"-"+hex.EncodeToString(sum.Sum(nil))[:16])
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o755))
	defer lock(t, dir+".lock")()

	complete := filepath.Join(dir, ".complete")
	if _, err := os.Stat(complete); err == nil {
		return dir
	}
	require.NoError(t, os.RemoveAll(dir))
	require.NoError(t, os.Mkdir(dir, 0o755))
	make(dir)
	require.NoError(t, os.WriteFile(complete, nil, 0o644))
	return dir
}

// lock acquires a file lock. The kernel releases the lock when the process ends for any reason.
func lock(t testing.TB, path string) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	require.NoError(t, err)
	require.NoError(t, syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	return func() { f.Close() }
}

// Result is the result of running a script.
type Result struct {
	Stdout, Stderr string
	Code           int // exit status; -1 if killed by a signal
}

// Run runs a script with arguments in an environment created by Env. The script does not inherit proxies and CI variables from the test. `env` has
// additional variables as "KEY=value". The script is killed when the test ends.
func Run(t testing.TB, python, script string, env []string, args ...string) Result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-c", script}, args...)...)
	cmd.Env = append(plainEnv(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		require.IsType(t, &exec.ExitError{}, err, "running %s", python)
	}
	return Result{Stdout: out.String(), Stderr: errs.String(), Code: cmd.ProcessState.ExitCode()}
}

// MustRun runs a script and returns its standard output. It fails the test if the exit status is not 0.
func MustRun(t testing.TB, python, script string, env []string, args ...string) string {
	t.Helper()
	r := Run(t, python, script, env, args...)
	require.Zero(t, r.Code, "the script failed:\n%s%s", r.Stdout, r.Stderr)
	return r.Stdout
}

// Variables with these names and prefixes are removed from the environment: they affect how clients find servers, credentials and modules, or the
// timestamps of a build.
var (
	dropNames    = []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "BUILDKITE", "CIRCLECI", "CI", "SOURCE_DATE_EPOCH"}
	dropPrefixes = []string{"GITHUB_", "ACTIONS_", "GITLAB_", "RATTLER_", "PREFIX_", "PIXI_", "PYTHON"}
)

func plainEnv() (env []string) {
	for _, kv := range os.Environ() {
		key, _, _ := strings.Cut(strings.ToUpper(kv), "=")
		prefixed := slices.ContainsFunc(dropPrefixes, func(p string) bool { return strings.HasPrefix(key, p) })
		if !prefixed && !slices.Contains(dropNames, key) {
			env = append(env, kv)
		}
	}
	return env
}

func mustRun(t testing.TB, hint, name string, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	require.NoError(t, err, "%s %s: %s\n(%s)", name, strings.Join(args, " "), out, hint)
}
