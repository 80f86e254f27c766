package gitrepo_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// newRepo makes a repository with one commit of 2026-01-02T03:04:06Z that holds sub/file and ignores *.log.
func newRepo(t *testing.T) (string, command.Runner) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_AUTHOR_DATE=2026-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid", "GIT_COMMITTER_DATE=2026-01-02T03:04:06Z"), nil)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("first\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*.log\n"), 0o644))
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"add", "-A"}, {"commit", "-q", "-m", "feat: first"}} {
		require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
	}
	return dir, run
}

func TestHeadAndClone(t *testing.T) {
	dir, run := newRepo(t)
	repo, err := gitrepo.Open(t.Context(), run, filepath.Join(dir, "sub"))
	require.NoError(t, err)
	require.Equal(t, dir, repo.Top)
	require.Equal(t, "sub", repo.Prefix)

	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, "main", head.Branch)
	require.Equal(t, time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC), head.Time)

	changes, err := repo.Changes(t.Context())
	require.NoError(t, err)
	require.Empty(t, changes)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("edited\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "new ü"), nil, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "some.log"), nil, 0o644))
	changes, err = repo.Changes(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"sub/file", "new ü"}, changes)

	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, repo.CloneAt(t.Context(), clone, head.Commit))
	data, err := os.ReadFile(filepath.Join(clone, "sub", "file"))
	require.NoError(t, err)
	require.Equal(t, "first\n", string(data))
	require.NoFileExists(t, filepath.Join(clone, "new ü"))
}

// A clone can be made of a shallow one, as a CI has it, and of one whose HEAD is on no branch.
func TestCloneOfAShallowDetachedOne(t *testing.T) {
	dir, run := newRepo(t)
	shallow := filepath.Join(t.TempDir(), "shallow")
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"clone", "-q", "--depth=1", "file://" + dir, shallow}}))
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"checkout", "-q", "--detach"}, Dir: shallow}))
	repo, err := gitrepo.Open(t.Context(), run, shallow)
	require.NoError(t, err)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	require.Empty(t, head.Branch)
	clone := filepath.Join(t.TempDir(), "clone")
	require.NoError(t, repo.CloneAt(t.Context(), clone, head.Commit))
	require.FileExists(t, filepath.Join(clone, "sub", "file"))
}

func TestNoRepositoryAndNoCommit(t *testing.T) {
	_, run := newRepo(t)
	_, err := gitrepo.Open(t.Context(), run, t.TempDir())
	require.Regexp(t, `is not in a git repository\n→ run .git init.`, fmt.Sprintf("%+v", err), "git has nothing to add")
	empty := t.TempDir()
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"init", "-q", empty}}))
	repo, err := gitrepo.Open(t.Context(), run, empty)
	require.NoError(t, err)
	_, err = repo.Head(t.Context())
	require.Regexp(t, `has no commit yet\n→ commit`, fmt.Sprintf("%+v", err))
	_, err = repo.Remote(t.Context(), "origin")
	require.Equal(t, "there is no remote origin\n→ `git remote add origin URL`, or name another one as remote in [tool.release]", fmt.Sprintf("%+v", err))
	_, err = repo.Remote(t.Context(), filepath.Join(empty, "nowhere"))
	require.ErrorContains(t, err, "asking the remote /")
}
