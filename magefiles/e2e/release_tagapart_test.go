package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// `apart` makes a repository of packages with independent versions, all of which are on the channel. The named packages have since been bumped to
// 0.2.0, as by a pull request, with other work on top.
func apart(t testing.TB, by string, names ...string) *releasing {
	t.Helper()
	files := configured("versioning = \"independent\"\n")
	files["pixi.toml"] = strings.Replace(files["pixi.toml"], `publish = "here"`, `publish = "`+by+`"`, 1)
	r := newReleasing(t, releaseOptions{by: by, files: files})
	r.ok("release", "-to=patch", "-only=mono-p0002", "-yes") // also publishes the other packages
	for _, name := range names {
		r.ok("version:bump", "-to=0.2.0", "-only="+name, "-commit", "-yes")
	}
	r.pushAllOf("chore(release): mono-p0001 0.2.0") // looks like a release's message, but is not from a release
	return r
}

// TestReleaseWithoutACommitOfIndependentPackages releases one of several packages without a commit, and undoes that release. Files on the channel
// from earlier releases of the other packages do not count as files of this release.
func TestReleaseWithoutACommitOfIndependentPackages(t *testing.T) {
	t.Parallel()
	const tag = "mono-p0001/v0.2.0"
	for _, by := range []string{"here", "ci"} {
		for _, where := range []string{"where it was begun", "in another clone"} {
			t.Run(by+", undone after the push, "+where, func(t *testing.T) {
				t.Parallel()
				r := apart(t, by, "mono-p0001")
				before, remote := r.mine(), r.refs()
				r.refuseUploads("mono-p0001")
				require.Contains(t, r.refused(1, "Error: ", "release", "-to=0.2.0", "-only=mono-p0001", "-yes"), "no commit: the versions are in the manifests already")
				require.Equal(t, r.base, git(t, r.world.Remote, "rev-parse", tag+"^{commit}"))
				commit := "the release has no commit of its own"
				if where == "in another clone" {
					r.dir = r.newClone()
					commit = "if the release has a commit, revert the commit with `git revert`"
				}
				said := r.ok("undo", "-yes")
				require.Contains(t, said, "main stays as it is: ")
				require.Contains(t, said, commit)
				require.Contains(t, said, "removed "+tag+" from origin, and main stays as it is")
				require.Equal(t, before[0], git(t, r.dir, "rev-parse", "HEAD"))
				require.Empty(t, git(t, r.dir, "tag", "--list", tag))
				require.Equal(t, remote, r.refs())
			})
		}
	}
	t.Run("with a commit, undone after the push", func(t *testing.T) {
		t.Parallel()
		r := apart(t, "here")
		r.refuseUploads("mono-p0001")
		r.refused(1, "Error: ", "release", "-to=minor", "-only=mono-p0001", "-yes")
		require.Contains(t, r.ok("undo", "-yes"), "removed "+tag+" from origin, and pushed main")
	})
	t.Run("on the commit of another release", func(t *testing.T) {
		t.Parallel()
		r := apart(t, "here", "mono-p0001")
		r.ok("release", "-to=0.3.0", "-only=mono-p0002", "-yes")
		require.Contains(t, git(t, r.dir, "log", "-1", "--format=%s"), "chore(release)")
		before, remote := r.mine(), r.refs()
		hook(t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
		r.refused(1, "Error: ", "release", "-to=0.2.0", "-only=mono-p0001", "-yes")
		require.NoError(t, os.Remove(filepath.Join(r.world.Remote, "hooks", "pre-receive")))
		require.Contains(t, r.ok("undo", "-yes"), "removed the tag "+tag)
		require.Equal(t, before, r.mine())
		out := r.ok("release", "-to=0.2.0", "-only=mono-p0001", "-yes")
		require.Contains(t, out, "no commit was made")
		require.Equal(t, before[0], git(t, r.dir, "rev-parse", "HEAD"))
		require.Equal(t, len(remote)+1, len(r.refs()))
		require.Contains(t, r.ok("release", "-to=patch", "-only=mono-p0001", "-yes"), "mono-p0001/v0.2.1 is released")
	})
}

// TestUndoWithoutACommitLeavesABump undoes a release without a commit after the user has edited versions by hand. These edits are not part of the
// release and are left alone. Until the undo, version:bump refuses to run.
func TestUndoWithoutACommitLeavesABump(t *testing.T) {
	t.Parallel()
	r := standing(t, "here")
	hook(t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
	r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
	r.refused(3, "is unfinished", "version:bump", "-to=minor", "-commit", "-yes")
	write(t, r.dir, "packages/core/pixi.toml", strings.Replace(readFile(t, r.dir, "packages/core/pixi.toml"), "0.1.7", "0.2.0", 1))
	r.ok("undo", "-yes")
	require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
	require.Contains(t, readFile(t, r.dir, "packages/core/pixi.toml"), "0.2.0")
}
