package gitrepo_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// Commit commits only the given files. Tag makes an annotated tag for the given commit.
func TestCommitAndTag(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.Write(t, dir, "sub/file", "second\n")
	gitrepotest.Write(t, dir, "new ü", "n\n")
	gitrepotest.Write(t, dir, "stray", "s\n")
	changed, err := repo.Changed(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"sub/file"}, changed)

	hash, err := repo.Commit(t.Context(), []string{"sub/file", "new ü"}, "release: v0.1.1\n\n# not a comment\n")
	require.NoError(t, err)
	require.Equal(t, git("rev-parse", "HEAD"), hash)
	require.Equal(t, "release: v0.1.1\n\n# not a comment", git("log", "-1", "--format=%B"))
	require.Equal(t, "new ü\x00sub/file\x00", git("show", "-z", "--format=", "--name-only"))
	require.Equal(t, "?? stray", git("status", "--porcelain"))

	require.NoError(t, repo.Tag(t.Context(), "v0.1.1", hash, "v0.1.1\n"))
	git("tag", "light")
	git("tag", "of-a-blob", "HEAD:sub/file")
	require.Equal(t, "tag", git("cat-file", "-t", "v0.1.1"))
	tags, err := repo.Tags(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"v0.1.1": hash, "light": hash}, tags)
	require.Error(t, repo.Tag(t.Context(), "v0.1.1", hash, "again"))

	by, err := repo.LineOrigin(t.Context(), "HEAD", "sub/file", 1)
	require.NoError(t, err)
	require.Equal(t, hash, by)
}

// After a hook refuses a commit, git still detects a file that was changed in the same second as its checkout, and to the same length.
func TestCommitRefusedWithinASecondOfTheCheckout(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	file := filepath.Join(dir, "sub", "file")
	was, err := os.Stat(file)
	require.NoError(t, err)
	gitrepotest.Write(t, dir, "sub/file", "other\n") // same length as before
	require.NoError(t, os.Chtimes(file, was.ModTime(), was.ModTime()))
	gitrepotest.Hook(t, repo.Dir, "pre-commit", "sleep 1.1; exit 1")
	_, err = repo.Commit(t.Context(), []string{"sub/file"}, "x\n")
	require.Error(t, err)
	require.NoError(t, os.Remove(filepath.Join(repo.Dir, "hooks", "pre-commit")))
	_, err = repo.Commit(t.Context(), []string{"sub/file"}, "x\n")
	require.NoError(t, err)
	require.Equal(t, "other", git("show", "HEAD:sub/file"))
}

// If a hook refuses, the index and HEAD are unchanged, and the error contains the hook's output.
func TestCommitRefused(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	head := git("rev-parse", "HEAD")
	hook := filepath.Join(repo.Dir, "hooks", "pre-commit")
	require.NoError(t, os.MkdirAll(filepath.Dir(hook), 0o755))
	require.NoError(t, os.WriteFile(hook, []byte("#!/bin/sh\necho the hook says no >&2\ngit add -A\nexit 1\n"), 0o755))
	gitrepotest.Write(t, dir, "sub/file", "second\n")
	gitrepotest.Write(t, dir, "stray", "s\n")
	_, err := repo.Commit(t.Context(), []string{"sub/file"}, "x\n")
	require.Contains(t, fmt.Sprintf("%+v", err), "the hook says no")
	require.Equal(t, head, git("rev-parse", "HEAD"))
	require.Equal(t, " M sub/file\n?? stray", git("status", "--porcelain"))
}

func TestLog(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	git("tag", "v1")
	gitrepotest.Write(t, dir, "a b", "1")
	git("add", "-A")
	git("commit", "-q", "-m", "fix(x)!: one\n\nBody\x01\n\nBREAKING CHANGE: it is\n")
	git("checkout", "-q", "-b", "side", "v1")
	gitrepotest.Write(t, dir, "c", "2")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: two")
	git("tag", "v2")
	git("checkout", "-q", "main")
	tags, err := repo.MergedTags(t.Context())
	require.NoError(t, err)
	require.NotContains(t, tags, "v2")
	git("merge", "-q", "--no-ff", "-m", "a merge", "side")
	commits, err := repo.Log(t.Context(), "v1")
	require.NoError(t, err)
	require.Len(t, commits, 2)
	for _, c := range commits {
		switch c.Subject {
		case "feat: two":
			require.Equal(t, []string{"c"}, c.Paths)
		default:
			require.Equal(t, "fix(x)!: one", c.Subject)
			require.Equal(t, []string{"a b"}, c.Paths)
			require.Contains(t, c.Body, "BREAKING CHANGE: it is")
		}
	}
	all, err := repo.Log(t.Context(), "")
	require.NoError(t, err)
	require.Len(t, all, 3)
}

// If git is configured to sign, commits and tags are signed.
func TestSigned(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	key := filepath.Join(t.TempDir(), "key")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		require.Empty(t, os.Getenv("CI"), "CI has ssh-keygen: %v", err)
		t.Skipf("no key can be made: %v %s", err, out)
	}
	for _, kv := range [][]string{{"gpg.format", "ssh"}, {"user.signingkey", key}, {"commit.gpgsign", "true"}, {"tag.gpgsign", "true"}} {
		git("config", kv[0], kv[1])
	}
	gitrepotest.Write(t, dir, "sub/file", "second\n")
	hash, err := repo.Commit(t.Context(), []string{"sub/file"}, "release: v0.1.1\n")
	require.NoError(t, err)
	require.NoError(t, repo.Tag(t.Context(), "v0.1.1", hash, "v0.1.1\n"))
	require.Contains(t, git("cat-file", "commit", "HEAD"), "BEGIN SSH SIGNATURE")
	require.Contains(t, git("cat-file", "tag", "v0.1.1"), "BEGIN SSH SIGNATURE")
}

// If the context is canceled while post-commit hooks run, the commit is still returned.
func TestStoppedAfterTheCommit(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	ctx, cancel := context.WithCancel(t.Context())
	hook := filepath.Join(repo.Dir, "hooks", "post-commit")
	require.NoError(t, os.MkdirAll(filepath.Dir(hook), 0o755))
	fifo := filepath.Join(t.TempDir(), "fifo")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.NoError(t, os.WriteFile(hook, []byte("#!/bin/sh\necho there > "+fifo+"\nsleep 60\n"), 0o755))
	go func() {
		_, _ = os.ReadFile(fifo) // blocks until the hook writes to the FIFO
		cancel()
	}()
	gitrepotest.Write(t, dir, "sub/file", "second\n")
	hash, err := repo.Commit(ctx, []string{"sub/file"}, "release: v0.1.1\n")
	require.NoError(t, err)
	require.Equal(t, git("rev-parse", "HEAD"), hash)
	require.Equal(t, "release: v0.1.1", git("log", "-1", "--format=%s"))
}

// Changes to files with the assume-unchanged or skip-worktree flag are found before a commit.
func TestFilesThatGitIgnoresChangesOf(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	git("update-index", "--assume-unchanged", "sub/file")
	git("update-index", "--skip-worktree", ".gitignore")
	hidden, err := repo.Hidden(t.Context())
	require.NoError(t, err)
	require.Empty(t, hidden)
	gitrepotest.Write(t, dir, "seen", "first\n")
	git("add", "seen")
	hidden, err = repo.Hidden(t.Context())
	require.NoError(t, err)
	require.Empty(t, hidden, "changes that git shows are not hidden")
	git("reset", "-q", "seen")
	require.NoError(t, os.Remove(filepath.Join(dir, "seen")))
	gitrepotest.Write(t, dir, "sub/file", "second\n")
	gitrepotest.Write(t, dir, ".gitignore", "*.log\n*.txt\n")
	require.Empty(t, git("status", "--porcelain"))
	changed, err := repo.Changed(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"sub/file"}, changed)
	hidden, err = repo.Hidden(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{".gitignore"}, hidden)
	hash, err := repo.Commit(t.Context(), []string{"sub/file"}, "x\n")
	require.NoError(t, err)
	require.Equal(t, "sub/file", git("diff-tree", "-r", "--name-only", "--no-commit-id", hash))
	unknown, err := repo.Untracked(t.Context(), []string{"sub/file", ".gitignore"})
	require.NoError(t, err)
	require.Equal(t, []string{".gitignore"}, unknown)
	hash, err = repo.Commit(t.Context(), []string{".gitignore"}, "x\n")
	require.NoError(t, err)
	require.Equal(t, "M\t.gitignore", git("diff-tree", "-r", "--name-status", "--no-commit-id", hash), "the file does not count as deleted")
}
