package gitrepo_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// withRemote adds a bare repository as the remote origin, with main in it.
func withRemote(t *testing.T, dir string, git func(args ...string) string) (bare string) {
	bare = filepath.Join(t.TempDir(), "origin.git")
	git("clone", "-q", "--bare", dir, bare)
	git("remote", "add", "origin", bare)
	git("fetch", "-q", "origin")
	return bare
}

func hook(t *testing.T, dir, name, script string) {
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "hooks"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hooks", name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
}

// TestOtherTag tells a tag of somebody else's from the clone's own, of the same commit too.
func TestOtherTag(t *testing.T) {
	t.Parallel()
	repo, dir, git := open(t)
	bare := withRemote(t, dir, git)
	for _, name := range []string{"own", "light"} {
		git("tag", name)
	}
	for _, name := range []string{"annotated", "lighter", "here"} {
		git("tag", "-a", "-m", "mine", name)
	}
	git("push", "-q", "origin", "own", "annotated")
	for _, args := range [][]string{{"-a", "-m", "theirs", "light"}, {"lighter"}, {"there"}} {
		git(append([]string{"--git-dir=" + bare, "-c", "user.name=x", "-c", "user.email=x@example.invalid", "tag"}, args...)...)
	}
	refs, err := repo.Remote(t.Context(), "origin")
	require.NoError(t, err)
	for name, want := range map[string]bool{
		"own": false, "annotated": false, "light": true, "lighter": true, "here": false, "there": false, "nowhere": false,
	} {
		other, err := repo.OtherTag(t.Context(), refs, name)
		require.NoError(t, err)
		require.Equal(t, want, other, name)
	}
}

func TestPushAndUnpush(t *testing.T) {
	repo, dir, git := open(t)
	bare := withRemote(t, dir, git)
	base := git("rev-parse", "HEAD")
	url, err := repo.URL(t.Context(), "origin")
	require.NoError(t, err)
	require.Equal(t, bare, url)
	_, err = repo.URL(t.Context(), "other")
	require.ErrorContains(t, err, "there is no remote other")

	write(t, dir, "new", "n\n")
	hash, err := repo.Commit(t.Context(), []string{"new"}, "release: v1\n")
	require.NoError(t, err)
	require.NoError(t, repo.Tag(t.Context(), "v1", hash, "v1\n"))
	n, err := repo.Ahead(t.Context(), hash, base)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	for _, c := range []struct {
		commit, ancestor string
		want             bool
	}{{hash, base, true}, {base, hash, false}, {base, "1111111111111111111111111111111111111111", false}, {"1111111111111111111111111111111111111111", base, false}, {base, "", false}} {
		got, err := repo.Contains(t.Context(), c.commit, c.ancestor)
		require.NoError(t, err)
		require.Equal(t, c.want, got, c)
	}

	require.NoError(t, repo.Push(t.Context(), "origin", hash, "main", "v1"))
	refs, err := repo.Remote(t.Context(), "origin")
	require.NoError(t, err)
	require.Equal(t, "main", refs.Default)
	require.Equal(t, map[string]string{"main": hash}, refs.Branches)
	require.Equal(t, map[string]string{"v1": hash}, refs.Tags)

	back, err := repo.Revert(t.Context(), hash)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "new"))
	require.NoError(t, repo.Unpush(t.Context(), "origin", refs, back, "main", "v1"))
	refs, err = repo.Remote(t.Context(), "origin")
	require.NoError(t, err)
	require.Empty(t, refs.Tags)
	require.Equal(t, back, refs.Branches["main"])
	require.NoError(t, repo.DeleteTag(t.Context(), "v1"))
	require.NoError(t, repo.Back(t.Context(), base))
	require.Equal(t, base, git("rev-parse", "main"))
}

// A push is all or nothing, and says why it was nothing.
func TestPushIsRejected(t *testing.T) {
	repo, dir, git := open(t)
	bare := withRemote(t, dir, git)
	head := git("rev-parse", "HEAD")
	require.NoError(t, repo.Tag(t.Context(), "v1", head, "v1\n"))
	hook(t, bare, "update", `case $1 in refs/tags/*) echo "no tags from you" >&2; exit 1; esac`)
	write(t, dir, "new", "n\n")
	hash, err := repo.Commit(t.Context(), []string{"new"}, "x\n")
	require.NoError(t, err)
	err = repo.Push(t.Context(), "origin", hash, "main", "v1")
	require.ErrorIs(t, err, gitrepo.ErrRejected)
	require.Contains(t, fmt.Sprintf("%+v", err), "no tags from you")
	require.False(t, gitrepo.Transient(err))
	refs, err := repo.Remote(t.Context(), "origin")
	require.NoError(t, err)
	require.Equal(t, head, refs.Branches["main"])
	require.Empty(t, refs.Tags)

	// Somebody was faster.
	hook(t, bare, "update", "exit 0")
	other := filepath.Join(t.TempDir(), "other")
	git("clone", "-q", bare, other)
	git("-C", other, "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-q", "--allow-empty", "-m", "faster")
	git("-C", other, "push", "-q", "origin", "main")
	err = repo.Push(t.Context(), "origin", hash, "main", "v1")
	require.ErrorIs(t, err, gitrepo.ErrRejected)
	require.Contains(t, fmt.Sprintf("%+v", err), "fetch first")
}

// What is no answer may be asked again; a remote that is not there may not.
func TestTransient(t *testing.T) {
	repo, dir, git := open(t)
	bare := withRemote(t, dir, git)
	hook(t, bare, "pre-receive", "kill -9 $PPID")
	write(t, dir, "new", "n\n")
	hash, err := repo.Commit(t.Context(), []string{"new"}, "x\n")
	require.NoError(t, err)
	err = repo.Push(t.Context(), "origin", hash, "main")
	require.Error(t, err)
	require.True(t, gitrepo.Transient(err), "%+v", err)

	git("remote", "set-url", "origin", filepath.Join(bare, "nothing"))
	_, err = repo.Remote(t.Context(), "origin")
	require.ErrorContains(t, err, "asking the remote origin")
	require.False(t, gitrepo.Transient(err), "%+v", err)
	require.False(t, gitrepo.Transient(errors.New("x")))
	require.False(t, gitrepo.Transient(nil))
}
