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
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

func TestHeadAndClone(t *testing.T) {
	dir, run := gitrepotest.New(t)
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
	require.NoError(t, gitclone.Borrow(t.Context(), repo, clone, head.Commit))
	data, err := os.ReadFile(filepath.Join(clone, "sub", "file"))
	require.NoError(t, err)
	require.Equal(t, "first\n", string(data))
	require.NoFileExists(t, filepath.Join(clone, "new ü"))
}

func TestNoRepositoryAndNoCommit(t *testing.T) {
	_, run := gitrepotest.New(t)
	_, err := gitrepo.Open(t.Context(), run, t.TempDir())
	require.Regexp(t, `is not in a git repository\n→ run .git init.`, fmt.Sprintf("%+v", err), "git's message would add nothing")
	empty := t.TempDir()
	require.NoError(t, run.Run(t.Context(), command.Cmd{Name: "git", Args: []string{"init", "-q", empty}}))
	repo, err := gitrepo.Open(t.Context(), run, empty)
	require.NoError(t, err)
	_, err = repo.Head(t.Context())
	require.Regexp(t, `has no commit yet\n→ commit`, fmt.Sprintf("%+v", err))
	_, err = gitremote.Read(t.Context(), repo, "origin")
	require.Equal(t, "there is no remote origin\n→ `git remote add origin URL`, or set `remote` in [tool.release] to another remote", fmt.Sprintf("%+v", err))
	_, err = gitremote.Read(t.Context(), repo, filepath.Join(empty, "nowhere"))
	require.ErrorContains(t, err, "asking the remote /")
}
