package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

func TestTouched(t *testing.T) {
	dir, run := newRepo(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	for _, path := range []string{"sub", ".", "sub/file"} {
		at, err := repo.Touched(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, head.Time, at, path)
	}
	at, err := repo.Touched(t.Context(), "nothing")
	require.NoError(t, err)
	require.True(t, at.IsZero())

	require.NoError(t, os.WriteFile(filepath.Join(dir, "elsewhere"), nil, 0o644))
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"add", "-A"}, Dir: dir}))
	later := command.Setenv(os.Environ(), "GIT_COMMITTER_DATE=2030-01-02T03:04:06Z", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid")
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"commit", "-q", "-m", "feat: elsewhere"}, Dir: dir, Env: later}))
	at, err = repo.Touched(t.Context(), "sub")
	require.NoError(t, err)
	require.Equal(t, head.Time, at, "another folder does not count")
	below, err := gitrepo.Open(t.Context(), run, filepath.Join(dir, "sub"))
	require.NoError(t, err)
	at, err = below.Touched(t.Context(), ".")
	require.NoError(t, err)
	require.Equal(t, head.Time, at, "paths are relative to what was opened")
}
