package gitremote_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// OtherTag detects someone else's tag, even if it refers to the same commit.
func TestOtherTag(t *testing.T) {
	t.Parallel()
	repo, dir, git := gitrepotest.Open(t)
	bare := gitrepotest.AddRemote(t, dir, git)
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
	refs, err := gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	for name, want := range map[string]bool{
		"own": false, "annotated": false, "light": true, "lighter": true, "here": false, "there": false, "nowhere": false,
	} {
		other, err := gitremote.OtherTag(t.Context(), repo, refs, name)
		require.NoError(t, err)
		require.Equal(t, want, other, name)
	}
}

func TestPushAndUnpush(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	bare := gitrepotest.AddRemote(t, dir, git)
	base := git("rev-parse", "HEAD")
	url, err := gitremote.URL(t.Context(), repo, "origin")
	require.NoError(t, err)
	require.Equal(t, bare, url)
	_, err = gitremote.URL(t.Context(), repo, "other")
	require.ErrorContains(t, err, "there is no remote other")

	gitrepotest.Write(t, dir, "new", "n\n")
	hash, err := repo.Commit(t.Context(), []string{"new"}, "release: v1\n")
	require.NoError(t, err)
	require.NoError(t, repo.Tag(t.Context(), "v1", hash, "v1\n"))
	n, err := repo.CountAhead(t.Context(), hash, base)
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

	require.NoError(t, gitremote.Push(t.Context(), repo, "origin", hash, "main", "v1"))
	refs, err := gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	require.Equal(t, "main", refs.Default)
	require.Equal(t, map[string]string{"main": hash}, refs.Branches)
	require.Equal(t, map[string]string{"v1": hash}, refs.Tags)

	back, err := repo.Revert(t.Context(), hash)
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "new"))
	require.NoError(t, gitremote.Unpush(t.Context(), repo, "origin", refs, back, "main", "v1"))
	refs, err = gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	require.Empty(t, refs.Tags)
	require.Equal(t, back, refs.Branches["main"])
	require.NoError(t, repo.DeleteTag(t.Context(), "v1"))
	require.NoError(t, repo.ResetTo(t.Context(), base))
	require.Equal(t, base, git("rev-parse", "main"))
}

// A push is atomic, and the error has the reason for a rejection.
func TestPushIsRejected(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	bare := gitrepotest.AddRemote(t, dir, git)
	head := git("rev-parse", "HEAD")
	require.NoError(t, repo.Tag(t.Context(), "v1", head, "v1\n"))
	gitrepotest.Hook(t, bare, "update", `case $1 in refs/tags/*) echo "no tags from you" >&2; exit 1; esac`)
	gitrepotest.Write(t, dir, "new", "n\n")
	hash, err := repo.Commit(t.Context(), []string{"new"}, "x\n")
	require.NoError(t, err)
	err = gitremote.Push(t.Context(), repo, "origin", hash, "main", "v1")
	require.ErrorIs(t, err, gitremote.ErrRejected)
	require.Contains(t, fmt.Sprintf("%+v", err), "no tags from you")
	require.False(t, gitremote.Transient(err))
	refs, err := gitremote.Read(t.Context(), repo, "origin")
	require.NoError(t, err)
	require.Equal(t, head, refs.Branches["main"])
	require.Empty(t, refs.Tags)

	// A push is rejected if someone else has pushed to the branch.
	gitrepotest.Hook(t, bare, "update", "exit 0")
	other := filepath.Join(t.TempDir(), "other")
	git("clone", "-q", bare, other)
	git("-C", other, "-c", "user.name=b", "-c", "user.email=b@example.invalid", "commit", "-q", "--allow-empty", "-m", "faster")
	git("-C", other, "push", "-q", "origin", "main")
	err = gitremote.Push(t.Context(), repo, "origin", hash, "main", "v1")
	require.ErrorIs(t, err, gitremote.ErrRejected)
	require.Contains(t, fmt.Sprintf("%+v", err), "fetch first")
}

// An error is transient if the remote crashed, but not if the remote does not exist.
func TestTransient(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	bare := gitrepotest.AddRemote(t, dir, git)
	gitrepotest.Hook(t, bare, "pre-receive", "kill -9 $PPID")
	gitrepotest.Write(t, dir, "new", "n\n")
	hash, err := repo.Commit(t.Context(), []string{"new"}, "x\n")
	require.NoError(t, err)
	err = gitremote.Push(t.Context(), repo, "origin", hash, "main")
	require.Error(t, err)
	require.True(t, gitremote.Transient(err), "%+v", err)

	git("remote", "set-url", "origin", filepath.Join(bare, "nothing"))
	_, err = gitremote.Read(t.Context(), repo, "origin")
	require.ErrorContains(t, err, "asking the remote origin")
	require.False(t, gitremote.Transient(err), "%+v", err)
	require.False(t, gitremote.Transient(errors.New("x")))
	require.False(t, gitremote.Transient(nil))
}
