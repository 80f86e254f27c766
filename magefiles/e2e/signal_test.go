package e2e_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// sleepy is a workspace with tests that write their process ID and then sleep.
var sleepy = map[string]string{
	"pixi.toml": `[workspace]
name = "sleepy"
channels = ["https://prefix.dev/conda-forge"]
platforms = ["linux-64"]
[tasks]
test = "python nap.py"
`,
	"nap.py": `import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(os.environ["PID_FILE"] + ".part", "w") as f:
    f.write(f"{os.getpid()} {child.pid}")
os.rename(os.environ["PID_FILE"] + ".part", os.environ["PID_FILE"])
time.sleep(600)
`,
	"lib/pixi.toml": `[package]
name = "lib"
version = "1.0.0"
[package.build]
backend = { name = "pixi-build-python", version = "*" }
`,
	"lib/pyproject.toml": `[project]
name = "lib"
version = "1.0.0"
`,
	"magefiles/magefile.go": `//go:build mage

package main

import (
	//mage:import
	_ "github.com/foopack/foopack/magefiles/targets"
)
`,
	".gitignore": "/magefiles/mage_output_file.go\n",
}

// TestStoppedTargetsLeaveNothing stops `go tool mage rehearse` and `check`, which runs many jobs, in the middle of the tests, in every way that a
// user or a CI does. No process of these commands keeps running, and no temporary files are left in their folder.
func TestStoppedTargetsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		target string
		end    func(wrapper int) error
	}{
		{"Ctrl-C", "rehearse", func(wrapper int) error { return syscall.Kill(-wrapper, syscall.SIGINT) }},
		{"TERM to go tool mage", "rehearse", func(wrapper int) error { return syscall.Kill(wrapper, syscall.SIGTERM) }},
		{"terminal closed", "rehearse", func(wrapper int) error { return syscall.Kill(-wrapper, syscall.SIGHUP) }},
		{"TERM to many jobs", "check", func(wrapper int) error { return syscall.Kill(wrapper, syscall.SIGTERM) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := sleepyRepo(t)
			pidFile := filepath.Join(t.TempDir(), "pids")
			mark := newMark()
			x := exec.Command("go", "tool", "mage", c.target)
			x.Dir, x.Env = dir, append(os.Environ(), "PID_FILE="+pidFile, mark, "PIPELINE_TOOLCHAIN=embedded")
			x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			log, err := os.Create(filepath.Join(t.TempDir(), "log"))
			require.NoError(t, err)
			x.Stdout, x.Stderr = log, log
			require.NoError(t, x.Start())
			// Wait for the process itself to end. `marked` could miss it, because a process's environment reads as empty during an exec.
			ended := make(chan error, 1)
			go func() { ended <- x.Wait() }()
			waitFor(t, "the tests to run", func() bool { return fileExists(pidFile) || len(ended) > 0 })
			said, _ := os.ReadFile(log.Name())
			require.FileExists(t, pidFile, "%s", said)
			require.Greater(t, len(marked(t, mark)), 3)

			require.NoError(t, c.end(x.Process.Pid))
			waitFor(t, "mage to end", func() bool { return len(ended) > 0 })
			waitFor(t, "every process to end", func() bool { return len(marked(t, mark)) == 0 })
			said, _ = os.ReadFile(log.Name())
			require.NotContains(t, string(said), "was rehearsed")
			require.NotContains(t, string(said), "panicked")
			require.NotContains(t, string(said), "runtime error")
			entries, err := os.ReadDir(filepath.Join(dir, "output", "rehearsal"))
			if c.target != "rehearse" {
				require.ErrorIs(t, err, fs.ErrNotExist)
			} else {
				require.NoError(t, err)
			}
			for _, e := range entries {
				if strings.Contains(string(said), mageLeft) {
					break // the next rehearsal cleans up
				}
				require.Contains(t, []string{".gitignore", ".lock", "environments"}, e.Name())
			}
			status, err := exec.Command("git", "-C", dir, "status", "--porcelain").Output()
			require.NoError(t, err)
			require.Empty(t, string(status))
		})
	}
}

func sleepyRepo(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range sleepy {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	mod, sum, err := otherModule()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644))
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "feat: first"}} {
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	return dir
}

// newMark returns an environment variable that identifies a process and all of its children (see marked).
func newMark() string { return fmt.Sprintf("E2E_MARK=%d-%d", os.Getpid(), time.Now().UnixNano()) }

// marked returns the running processes whose environment contains the entry. Zombies have no environment.
func marked(t testing.TB, entry string) []int {
	var pids []int
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(data, []byte(entry)) {
			continue // gone, or not ours
		}
		pid, err := strconv.Atoi(strings.Split(f, "/")[2])
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// waitFor waits until f returns true. Its limit of five minutes is only meant to catch hangs.
func waitFor(t testing.TB, what string, f func() bool) {
	require.Eventually(t, f, 5*time.Minute, 50*time.Millisecond, what)
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
