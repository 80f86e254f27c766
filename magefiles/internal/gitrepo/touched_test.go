package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

func TestTouched(t *testing.T) {
	dir, run := gitrepotest.New(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	for _, path := range []string{"sub", ".", "sub/file"} {
		at, known, err := repo.Touched(t.Context(), path)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, head.Time, at, path)
	}
	at, known, err := repo.Touched(t.Context(), "nothing")
	require.NoError(t, err)
	require.True(t, known)
	require.True(t, at.IsZero())

	require.NoError(t, os.WriteFile(filepath.Join(dir, "elsewhere"), nil, 0o644))
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"add", "-A"}, Dir: dir}))
	later := command.Setenv(os.Environ(), "GIT_COMMITTER_DATE=2030-01-02T03:04:06Z", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid")
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"commit", "-q", "-m", "feat: elsewhere"}, Dir: dir, Env: later}))
	at, known, err = repo.Touched(t.Context(), "sub")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, head.Time, at, "another folder does not count")
	below, err := gitrepo.Open(t.Context(), run, filepath.Join(dir, "sub"))
	require.NoError(t, err)
	at, known, err = below.Touched(t.Context(), ".")
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, head.Time, at, "paths are relative to the opened folder")
}

// For the boundary commit of a shallow clone, git reports that every file changed. This is not evidence that a file changed.
func TestTouchedOfAShallowClone(t *testing.T) {
	dir, run := gitrepotest.New(t) // the repository has one commit, with sub/file
	git := func(dir, date string, args ...string) {
		env := command.Setenv(os.Environ(), "GIT_COMMITTER_DATE="+date, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid")
		require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir, Env: env}))
	}
	change := func(file, date string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, file)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte(date), 0o644))
		git(dir, date, "add", "-A")
		git(dir, date, "commit", "-q", "-m", file)
	}
	change("a/file", "2030-01-02T03:04:05Z")
	change("b/file", "2030-01-02T03:04:06Z")
	git(dir, "2030-01-02T03:04:07Z", "checkout", "-q", "-b", "side", "HEAD~1")
	change("c/file", "2030-01-02T03:04:07Z")
	git(dir, "2030-01-02T03:04:08Z", "checkout", "-q", "-")
	git(dir, "2030-01-02T03:04:08Z", "merge", "-q", "--no-ff", "-m", "merged", "side")
	for _, c := range []struct {
		depth string
		known map[string]bool
	}{
		{"1", map[string]bool{"sub": false, "a": false, "b": false, "c": false, ".": false}},
		{"2", map[string]bool{"sub": false, "a": false}},
		{"3", map[string]bool{"sub": false, "a": false, "b": true, "c": true}},
		{"9", map[string]bool{"sub": true, "a": true, "b": true, "c": true, ".": true}},
	} {
		clone, beside := filepath.Join(t.TempDir(), "clone"), filepath.Join(t.TempDir(), "beside")
		git(dir, "", "clone", "-q", "--depth="+c.depth, "file://"+dir, clone)
		git(clone, "", "worktree", "add", "-q", "--detach", beside)
		whole, err := gitrepo.Open(t.Context(), run, dir)
		require.NoError(t, err)
		for _, tree := range []string{clone, beside} { // a linked work tree's history also ends where the clone's does
			repo, err := gitrepo.Open(t.Context(), run, tree)
			require.NoError(t, err)
			for folder, want := range c.known {
				at, known, err := repo.Touched(t.Context(), folder)
				require.NoError(t, err)
				require.Equal(t, want, known, "%s at depth %s", folder, c.depth)
				if known {
					truth, _, err := whole.Touched(t.Context(), folder)
					require.NoError(t, err)
					require.Equal(t, truth, at, "%s at depth %s", folder, c.depth)
				}
			}
		}
	}
}
