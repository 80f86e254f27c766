package git_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Unlock removes only locks that our own git processes left: those that the recorded command takes, and that are newer than the record.
func TestUnlock(t *testing.T) {
	for verb, removes := range map[string][]string{
		"commit": {"HEAD.lock", "index.lock", "main.lock", "tables.list.lock"}, "tag": {"packed-refs.lock", "tables.list.lock", "v1.lock"},
		"push": {"main.lock", "packed-refs.lock", "tables.list.lock"}, "update-index": {"index.lock"},
		"clone": nil, "": nil, // we do not run these git commands in this repository
	} {
		t.Run("killed in "+verb, func(t *testing.T) {
			repo, _, git := gitrepotest.Open(t)
			since := time.Now()
			for _, name := range []string{"index.lock", "HEAD.lock", "packed-refs.lock", "config.lock", "refs/heads/main.lock", "refs/tags/v1.lock", "refs/remotes/origin/main.lock", "reftable/tables.list.lock"} {
				file := filepath.Join(repo.Dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, nil, 0o644))
			}
			notes := gitrepotest.Killed(t, repo, repo.Dir, verb, since)
			removed, err := repo.Unlock(t.Context())
			require.NoError(t, err)
			require.ElementsMatch(t, removes, removed)
			require.FileExists(t, filepath.Join(repo.Dir, "config.lock"))
			left, err := os.ReadDir(notes)
			require.NoError(t, err)
			require.Empty(t, left)
			removed, err = repo.Unlock(t.Context())
			require.NoError(t, err)
			require.Empty(t, removed, "the record was removed")
			require.NoError(t, os.Remove(filepath.Join(repo.Dir, "config.lock")))
			git("log", "-1")
		})
	}
}

// Locks of other programs are kept: older ones, those of another work tree, one that any process has open, and all locks if there is no record.
func TestHostileLocks(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	lock := filepath.Join(repo.Dir, "index.lock")
	lay := func(file string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, nil, 0o644))
	}
	stays := func() {
		t.Helper()
		removed, err := repo.Unlock(t.Context())
		require.NoError(t, err)
		require.Empty(t, removed)
		require.FileExists(t, lock)
	}
	lay(lock)
	repo.RecordIn(t.TempDir())
	stays() // no record
	gitrepotest.Killed(t, repo, repo.Dir, "commit", time.Now().Add(time.Second))
	stays() // the lock is older than the recorded command
	gitrepotest.Killed(t, repo, filepath.Join(t.TempDir(), ".git"), "commit", time.Now().Add(-time.Minute))
	stays() // the record belongs to another repository

	require.NoError(t, os.Remove(lock))
	require.NoError(t, os.Symlink(filepath.Join(dir, "sub", "file"), lock))
	gitrepotest.Killed(t, repo, repo.Dir, "commit", time.Now().Add(-time.Minute))
	stays() // a lock file is never a symlink
	require.NoError(t, os.Remove(lock))
	lay(lock)

	linked := filepath.Join(t.TempDir(), "linked")
	git("worktree", "add", "-q", "-b", "linked", linked)
	tree := filepath.Join(repo.Common, "worktrees", "linked")
	gitrepotest.Killed(t, repo, tree, "commit", time.Now().Add(-time.Minute))
	lay(filepath.Join(tree, "index.lock"))
	removed, err := repo.Unlock(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"index.lock"}, removed) // the lock of the linked work tree
	require.FileExists(t, lock)
	require.NoFileExists(t, filepath.Join(tree, "index.lock"))

	if _, err := os.Stat("/proc/self/fd"); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI has /proc: %v", err)
		t.Skip("there is no /proc")
	}
	editor := exec.Command("sleep", "60")
	held, err := os.OpenFile(lock, os.O_WRONLY, 0)
	require.NoError(t, err)
	editor.ExtraFiles = []*os.File{held}
	require.NoError(t, editor.Start())
	require.NoError(t, held.Close())
	gitrepotest.Killed(t, repo, repo.Dir, "commit", time.Now().Add(-time.Minute))
	_, err = repo.Unlock(t.Context())
	require.ErrorContains(t, err, fmt.Sprintf("another git process (process %d) is running", editor.Process.Pid))
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.FileExists(t, lock)
	require.NoError(t, editor.Process.Kill())
	_ = editor.Wait()

	busy := exec.Command("git", "cat-file", "--batch")
	busy.Dir = dir
	in, err := busy.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, busy.Start())
	_, err = repo.Unlock(t.Context())
	require.ErrorContains(t, err, fmt.Sprintf("another git process (process %d) is running", busy.Process.Pid))
	require.NoError(t, in.Close())
	require.NoError(t, busy.Wait())
	removed, err = repo.Unlock(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"index.lock"}, removed)
}

// There is a record while git runs, none afterwards, and none for a read-only command.
func TestRecordOfARunningGit(t *testing.T) {
	repo, dir, _ := gitrepotest.Open(t)
	notes, seen := filepath.Join(t.TempDir(), "notes"), filepath.Join(t.TempDir(), "seen")
	gitrepotest.Hook(t, filepath.Join(dir, ".git"), "pre-commit", "cat "+notes+"/* > "+seen)
	repo.RecordIn(notes)
	_, err := repo.Resolve(t.Context(), "HEAD")
	require.NoError(t, err)
	require.NoDirExists(t, notes)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("noted\n"), 0o644))
	_, err = repo.Commit(t.Context(), []string{"sub/file"}, "feat: noted")
	require.NoError(t, err)
	text, err := os.ReadFile(seen)
	require.NoError(t, err)
	require.Contains(t, string(text), `"verb":"commit"`)
	left, err := os.ReadDir(notes)
	require.NoError(t, err)
	require.Empty(t, left)
}
