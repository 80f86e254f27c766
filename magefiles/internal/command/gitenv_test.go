package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// `kept` returns the variables of an environment that children inherit.
func kept(pairs ...string) []string { return command.NewSystem(pairs, nil).Environ() }

// All variables that the installed git reports as repository-local are dropped, except the settings from -c.
func TestLocalVariablesOfGit(t *testing.T) {
	out, err := command.Output(t.Context(), system(), command.Cmd{Name: "git", Args: []string{"rev-parse", "--local-env-vars"}})
	require.NoError(t, err)
	names := strings.Fields(out)
	require.Contains(t, names, "GIT_DIR")
	for _, name := range names {
		if name == "GIT_CONFIG_COUNT" || name == "GIT_CONFIG_PARAMETERS" {
			require.Len(t, kept(name+"=1"), 1, name)
		} else {
			require.Empty(t, kept(name+"=1"), name)
		}
	}
}

func TestVariablesOfGit(t *testing.T) {
	for name, c := range map[string]struct{ env, want []string }{
		"a hook of a linked worktree": {
			env:  []string{"GIT_DIR=/r/.git/worktrees/w", "GIT_WORK_TREE=/w", "GIT_INDEX_FILE=/i", "GIT_REFLOG_ACTION=x", "GIT_LITERAL_PATHSPECS=1", "A=1"},
			want: []string{"A=1"},
		},
		"a hook of a receiving git": {[]string{"GIT_QUARANTINE_PATH=/q", "GIT_OBJECT_DIRECTORY=/o", "GIT_NAMESPACE=n", "A=1"}, []string{"A=1"}},
		"submodule foreach":         {[]string{"GIT_PROTOCOL_FROM_USER=0", "toplevel=/t"}, []string{"toplevel=/t"}},
		"an alias run with -c, in the top folder": {
			env:  []string{"GIT_PREFIX=", "GIT_CONFIG_PARAMETERS='a.b'='c'", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=a.b", "GIT_CONFIG_VALUE_0=c", "GIT_AUTHOR_NAME=another", "GIT_AUTHOR_EMAIL=e", "GIT_AUTHOR_DATE=1", "GIT_COMMITTER_NAME=me"},
			want: []string{"GIT_CONFIG_PARAMETERS='a.b'='c'", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=a.b", "GIT_CONFIG_VALUE_0=c", "GIT_COMMITTER_NAME=me"},
		},
		"a person's own": {
			env:  []string{"GIT_AUTHOR_DATE=1", "GIT_AUTHOR_NAME=me", "GIT_COMMITTER_DATE=1", "GIT_SSH_COMMAND=ssh -i k", "GIT_CONFIG_GLOBAL=/g", "GIT_CEILING_DIRECTORIES=/c", "GIT_EXEC_PATH=/e"},
			want: []string{"GIT_AUTHOR_DATE=1", "GIT_AUTHOR_NAME=me", "GIT_COMMITTER_DATE=1", "GIT_SSH_COMMAND=ssh -i k", "GIT_CONFIG_GLOBAL=/g", "GIT_CEILING_DIRECTORIES=/c", "GIT_EXEC_PATH=/e"},
		},
	} {
		require.Equal(t, c.want, kept(c.env...), name)
	}
}

// A program that git runs, in any way that git supports, finds the repository of its own working directory, not the one of the parent git.
func TestChildrenOfGit(t *testing.T) {
	for name, run := range map[string]func(t *testing.T, dir, script string) *exec.Cmd{
		"pre-commit of a linked worktree": func(t *testing.T, dir, script string) *exec.Cmd {
			git(t, dir, "worktree", "add", "-q", dir+"-linked", "-b", "side")
			hookOf(t, dir, "pre-commit", script)
			return gitIn(dir+"-linked", "commit", "--allow-empty", "-m", "x", "--author=b <b@example.invalid>")
		},
		"post-checkout": func(t *testing.T, dir, script string) *exec.Cmd {
			hookOf(t, dir, "post-checkout", script)
			return gitIn(dir, "checkout", "-q", "-b", "other")
		},
		"rebase --exec": func(t *testing.T, dir, script string) *exec.Cmd {
			git(t, dir, "commit", "-q", "--allow-empty", "-m", "y")
			return gitIn(dir, "--literal-pathspecs", "rebase", "-q", "--exec", script, "HEAD^")
		},
		"an alias with --git-dir": func(_ *testing.T, dir, script string) *exec.Cmd {
			return gitIn(filepath.Dir(dir), "--git-dir="+dir+"/.git", "--work-tree="+dir, "-c", "alias.x=!"+script, "x")
		},
		"bisect run": func(t *testing.T, dir, script string) *exec.Cmd {
			git(t, dir, "commit", "-q", "--allow-empty", "-m", "y")
			git(t, dir, "bisect", "start", "HEAD", "HEAD~1")
			git(t, dir, "bisect", "reset")
			git(t, dir, "commit", "-q", "--allow-empty", "-m", "z")
			git(t, dir, "bisect", "start", "HEAD", "HEAD~2")
			return gitIn(dir, "bisect", "run", script)
		},
		"pre-receive": func(t *testing.T, dir, script string) *exec.Cmd {
			bare := dir + ".git"
			git(t, dir, "clone", "-q", "--bare", dir, bare)
			hookOf(t, bare, "pre-receive", script)
			return gitIn(dir, "push", "-q", bare, "HEAD:refs/heads/new")
		},
	} {
		t.Run(name, func(t *testing.T) {
			top := t.TempDir()
			dir, elsewhere, out := filepath.Join(top, "one"), filepath.Join(top, "two"), filepath.Join(top, "environment")
			for _, d := range []string{dir, elsewhere} {
				git(t, top, "init", "-q", "-b", "main", d)
				git(t, d, "config", "user.name", "a tester")
				git(t, d, "config", "user.email", "tester@example.invalid")
				git(t, d, "commit", "-q", "--allow-empty", "-m", "first")
			}
			script := filepath.Join(top, "script")
			require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nenv -0 > "+out+"\n"), 0o755))
			said, err := run(t, dir, script).CombinedOutput()
			require.NoError(t, err, "%s", said)
			data, err := os.ReadFile(out)
			require.NoError(t, err)
			env := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
			require.NotEqual(t, len(env), len(kept(env...)), "git says something to its children")

			r := command.NewSystem(env, nil)
			found, err := command.Output(t.Context(), r, command.Cmd{Name: "git", Args: []string{"rev-parse", "--absolute-git-dir"}, Dir: elsewhere})
			require.NoError(t, err)
			real, err := filepath.EvalSymlinks(elsewhere)
			require.NoError(t, err)
			require.Equal(t, filepath.Join(real, ".git"), found)
			require.NoError(t, r.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"commit", "-q", "--allow-empty", "-m", "second"}, Dir: elsewhere}))
			require.False(t, slices.ContainsFunc(r.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "GIT_AUTHOR_") }))
			require.Equal(t, "a tester second", git(t, elsewhere, "log", "-1", "--format=%an %s"))
			require.NotContains(t, git(t, dir, "log", "--all", "--format=%s"), "second")
		})
	}
}

func gitIn(dir string, args ...string) *exec.Cmd {
	x := exec.Command("git", args...)
	x.Dir = dir
	x.Env = append(kept(os.Environ()...), "GIT_CONFIG_GLOBAL="+os.DevNull)
	return x
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := gitIn(dir, args...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, out)
	return strings.TrimSpace(string(out))
}

// hookOf makes a program a hook of the repository in dir.
func hookOf(t *testing.T, dir, name, program string) {
	hooks := git(t, dir, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
	require.NoError(t, os.MkdirAll(hooks, 0o755))
	require.NoError(t, os.Symlink(program, filepath.Join(hooks, name)))
}
