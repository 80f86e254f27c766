package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// The work trees of a repository share the folder of ref locks. Locks of a git that was killed in one work tree can be removed from another.
func TestWorktrees(t *testing.T) {
	repo, _, git := gitrepotest.Open(t)
	require.Equal(t, repo.Dir, repo.Common)
	linked := filepath.Join(t.TempDir(), "linked")
	git("worktree", "add", "-q", linked, "-b", "side")
	_, run := gitrepotest.New(t)
	other, err := gitrepo.Open(t.Context(), run, filepath.Join(linked, "sub"))
	require.NoError(t, err)
	require.Equal(t, repo.Common, other.Common)
	require.NotEqual(t, repo.Dir, other.Dir)
	head, err := other.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, "side", head.Branch)

	since := time.Now().Add(-time.Minute)
	require.NoError(t, os.WriteFile(filepath.Join(other.Dir, "index.lock"), nil, 0o644))
	gitrepotest.Killed(t, repo, other.Dir, "commit", since)
	removed, err := repo.Unlock(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"index.lock"}, removed)
	require.NoError(t, os.WriteFile(filepath.Join(repo.Dir, "index.lock"), nil, 0o644))
	gitrepotest.Killed(t, other, repo.Dir, "commit", since)
	removed, err = other.Unlock(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"index.lock"}, removed)
	git("tag", "main") // a tag with the same name as the branch makes no difference
	head, err = repo.Head(t.Context())
	require.NoError(t, err)
	require.Equal(t, "main", head.Branch)
}

// Git's lock files are found before anything is written, both for a commit and for a tag.
func TestLocked(t *testing.T) {
	dir, run := gitrepotest.New(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	for _, name := range []string{"", "HEAD", "refs/heads/main", "refs/tags/v1.0.0", "refs/tags/pkg/v1.0.0"} {
		lock := filepath.Join(dir, ".git", filepath.FromSlash(name)+".lock")
		if name != "" {
			gitrepotest.Write(t, dir, ".git/"+name+".lock", "")
		}
		ofGit, err := repo.Unwritable(t.Context())
		require.NoError(t, err)
		_, ofTags, err := repo.TagTroubles(t.Context(), []string{"v1.0.0", "pkg/v1.0.0"})
		require.NoError(t, err)
		found := append(ofGit, ofTags...)
		if name == "" {
			require.Empty(t, found)
			continue
		}
		require.Len(t, found, 1, name)
		require.Contains(t, found[0].Error(), filepath.FromSlash(name))
		require.Contains(t, found[0].Next, lock)
		require.NoError(t, os.Remove(lock))
	}
}
