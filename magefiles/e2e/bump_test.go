package e2e_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/monorepotest"
)

// monorepo makes a git repository with n packages at 0.1.6, a tag for that version, and a fix committed after the tag. It turns off git's automatic
// gc, which would distort benchmarks.
func monorepo(t testing.TB, n int) string {
	dir := t.TempDir()
	require.NoError(t, monorepotest.Write(dir, n, "0.1.6"))
	for _, argv := range [][]string{
		{"init", "-q", "-b", "main"},
		{"config", "user.name", "a tester"},
		{"config", "user.email", "tester@example.invalid"},
		{"config", "gc.auto", "0"},
		{"config", "commit.gpgsign", "false"},
		{"config", "tag.gpgsign", "false"},
		{"add", "-A"},
		{"commit", "-q", "-m", "chore: initial"},
		{"tag", "v0.1.6"},
	} {
		git(t, dir, argv...)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "packages", "core", "fix.py"), []byte("x = 1\n"), 0o644))
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "fix: a thing")
	git(t, dir, "status", "--porcelain") // refreshes the index
	return dir
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "git %v: %s", args, out)
	return strings.TrimRight(string(out), "\n")
}

// targets runs the compiled magefile and returns its output.
func targets(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(compiled, "targets"), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// committed checks that the work tree and the last commit contain exactly the edits that a careful developer would make by hand for n packages.
func committed(t testing.TB, dir string, n int, version string) {
	t.Helper()
	want := monorepotest.Bumped(n, "0.1.6", version)
	want["packages/core/fix.py"] = "x = 1\n"
	got := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if path == ".git" {
				return fs.SkipDir
			}
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		got[path] = string(data)
		return err
	}))
	require.Equal(t, want, got)
	require.Empty(t, git(t, dir, "status", "--porcelain"))
	require.Equal(t, "chore(release): v"+version, git(t, dir, "log", "-1", "--format=%s"))
	require.Equal(t, git(t, dir, "rev-parse", "HEAD"), git(t, dir, "rev-parse", "v"+version+"^{commit}"))
	require.Equal(t, "tag", git(t, dir, "cat-file", "-t", "v"+version))
}

// Bump, commit and tag change exactly 3N versions, 2N-2 pins and the workspace version. No other byte changes.
func TestBumpChangesOnlyVersionsAndPins(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 100, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			dir := monorepo(t, n)
			targets(t, dir, "version:bump", "-to=patch", "-commit", "-tag", "-yes")
			committed(t, dir, n, "0.1.7")
			added, removed := 0, 0
			for line := range strings.Lines(git(t, dir, "show", "--format=", "--unified=0")) {
				switch {
				case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
				case line[0] == '+':
					added++
				case line[0] == '-':
					removed++
				}
			}
			require.Equal(t, []int{3*n + 2*n - 1, 3*n + 2*n - 1}, []int{added, removed})
		})
	}
}

// The command is killed at random moments and run again. The result does not depend on when it was killed: while planning, while writing files, while
// running git, or before the tag.
func TestBumpKilledAtRandom(t *testing.T) {
	t.Parallel()
	const n = 12
	random := rand.New(rand.NewPCG(3, 4))
	said := map[string]int{}
	for range 15 {
		dir := monorepo(t, n)
		argv := []string{"version:bump", "-to=patch", "-commit", "-tag", "-yes"}
		cmd := exec.Command(filepath.Join(compiled, "targets"), argv...)
		mark := newMark()
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, mark)
		require.NoError(t, cmd.Start())
		time.Sleep(time.Duration(random.IntN(160)) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		waitFor(t, "the git that it had started to end", func() bool { return len(marked(t, mark)) == 0 })
		unlockGit(t, dir)
		// Once the plan is deleted, the bump is complete, and repeating the command would bump again.
		if git(t, dir, "tag", "--list", "v0.1.7") != "" && !fileExists(filepath.Join(dir, ".git", "pixi-release", "bump.json")) {
			said["done before"]++
			committed(t, dir, n, "0.1.7")
			continue
		}
		out := targets(t, dir, argv...)
		for _, what := range []string{"reverted", "resuming"} {
			if strings.Contains(out, what) {
				said[what]++
			}
		}
		committed(t, dir, n, "0.1.7")
		require.Len(t, strings.Split(git(t, dir, "rev-list", "HEAD"), "\n"), 3)
	}
	t.Logf("%v", said)
}

// unlockGit removes the lock file that a killed git may have left, as git's error message recommends.
func unlockGit(t *testing.T, dir string) {
	for _, lock := range []string{"index.lock", "HEAD.lock", "refs/heads/main.lock", "refs/tags/v0.1.7.lock"} {
		if err := os.Remove(filepath.Join(dir, ".git", lock)); err == nil {
			t.Logf("git left %s behind", lock)
		}
	}
}
