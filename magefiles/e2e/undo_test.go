package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// stopped makes a release stop after its commit, because a check fails, or after its tag, because the remote rejects the push. The commit that the
// release starts from is on the remote.
func (r *releasing) stopped(behind string) {
	r.t.Helper()
	if behind == "commit" {
		r.commit("test: a check that fails", map[string]string{"fail-qa": "x\n"})
		git(r.t, r.dir, "push", "-q", "origin", "main")
	} else {
		hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
	}
	r.base = git(r.t, r.dir, "rev-parse", "HEAD")
	r.refused(1, "Error: ", "release", "-to=patch", "-yes")
	require.Equal(r.t, r.base, git(r.t, r.dir, "rev-parse", "HEAD^"))
	require.NoError(r.t, os.RemoveAll(filepath.Join(r.world.Remote, "hooks", "pre-receive")))
}

// `by` has another user push a file to main, and returns the commit.
func (r *releasing) by(name string) string {
	r.t.Helper()
	shell(r.t, r.colleague(name, func(dir string) {
		write(r.t, dir, "packages/core/"+name+".txt", name+"\n")
		git(r.t, dir, "add", "-A")
		git(r.t, dir, "commit", "-q", "-m", "feat: a file of "+name)
	}, "HEAD:refs/heads/main"))
	return git(r.t, r.dir, "--git-dir="+r.world.Remote, "rev-parse", "main")
}

// TestUndoAmongOthers undoes a release among other commits, branches and tags. The commits, branches and tags of colleagues and of the user must not
// change.
func TestUndoAmongOthers(t *testing.T) {
	t.Parallel()
	version := func(r *releasing) string { return readFile(r.t, r.dir, "packages/core/pixi.toml") }
	for _, behind := range []string{"commit", "tag"} {
		t.Run("rebased onto what a colleague pushed, behind the "+behind, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			r.stopped(behind)
			theirs := r.by("one")
			git(t, r.dir, "pull", "-q", "--rebase")
			require.Contains(t, r.ok("undo", "-yes"), "removed the commit")
			require.Equal(t, theirs, git(t, r.dir, "rev-parse", "HEAD"))
			require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
		})
		t.Run("on another branch, behind the "+behind, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			r.stopped(behind)
			git(t, r.dir, "switch", "-q", "-c", "feature", r.base)
			r.commit("feat: a week of work", map[string]string{"packages/core/week.txt": "x\n"})
			before := r.mine()
			r.refused(3, "was begun on the branch main, which has new commits, but another branch is checked out", "undo", "-yes")
			r.refused(1, "feature", "release", "-yes")
			require.Equal(t, before, r.mine())
			git(t, r.dir, "switch", "-q", "main")
			require.Contains(t, r.ok("undo", "-yes"), "removed the commit")
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "main"))
			require.Equal(t, "feat: a week of work", git(t, r.dir, "log", "-1", "--format=%s", "feature"))
		})
		t.Run("dropped by hand, with own work since, behind the "+behind, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			r.stopped(behind)
			git(t, r.dir, "reset", "-q", "--hard", r.base)
			r.commit("feat: a week of work", map[string]string{"packages/core/week.txt": "x\n"})
			head := git(t, r.dir, "rev-parse", "HEAD")
			r.ok("undo", "-yes")
			require.Equal(t, head, git(t, r.dir, "rev-parse", "HEAD"))
			require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
		})
		t.Run("pushed by hand, behind the "+behind, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			r.stopped(behind)
			git(t, r.dir, "push", "-q", "origin", "main")
			theirs := r.by("one") // this clone has not fetched that commit
			require.Contains(t, r.ok("undo", "-yes"), "because origin has it; `git push` undoes it on the remote, too")
			require.NotContains(t, version(r), "0.1.7")
			git(t, r.dir, "pull", "-q", "--rebase")
			require.NotContains(t, version(r), "0.1.7")
			require.Equal(t, theirs, git(t, r.dir, "rev-parse", "HEAD^"))
		})
	}
	t.Run("pushed, and rebased before", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{by: "here"})
		r.stopped("commit")
		r.by("one")
		git(t, r.dir, "pull", "-q", "--rebase")
		git(t, r.dir, "rm", "-q", "fail-qa")
		git(t, r.dir, "commit", "-q", "-m", "fix: the check")
		r.refuseUploads("mono-core")
		r.refused(1, "Error: ", "release", "-yes")
		r.commit("feat: another package", map[string]string{"packages/core/more.txt": "x\n"})
		require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 was undone")
		require.NotContains(t, version(r), "0.1.7")
		require.Equal(t, "one\n", readFile(t, r.dir, "packages/core/one.txt"))
		require.Equal(t, git(t, r.dir, "rev-parse", "HEAD"), git(t, r.dir, "--git-dir="+r.world.Remote, "rev-parse", "main"))
	})
	t.Run("a tag of a colleague's that was fetched", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{by: "here"})
		r.stopped("commit")
		shell(t, r.colleague("one", func(dir string) { git(t, dir, "tag", "-a", "-m", "mine", "v0.1.7") }, "v0.1.7"))
		git(t, r.dir, "fetch", "-q", "--tags")
		before := r.refs()
		r.ok("undo", "-yes")
		require.Equal(t, before["refs/tags/v0.1.7"], git(t, r.dir, "rev-parse", "refs/tags/v0.1.7"))
		require.Equal(t, before, r.refs())
		require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
	})
	t.Run("a colleague's release of the same version that was fetched", func(t *testing.T) {
		r := newReleasing(t, releaseOptions{by: "here"})
		r.stopped("tag")
		mine := r.dir
		r.dir = r.newClone()
		r.refuseUploads("mono-core")
		r.refused(1, "Error: ", "release", "-to=patch", "-yes")
		before := r.refs()
		r.dir = mine
		git(t, r.dir, "fetch", "-q")
		require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 is only in this clone")
		require.Equal(t, before, r.refs())
		require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
	})
}

// TestUndoWithAFailingRevert has the revert of a pushed release fail, as with a key whose passphrase is not entered, or killed before it commits. The
// next undo looks at commits, not at leftover files. Otherwise it would remove the tag on the remote without reverting the commit there.
func TestUndoWithAFailingRevert(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]func(r *releasing){
		"refused": func(r *releasing) {
			hook(r.t, r.dir+"/.git/hooks", "prepare-commit-msg", "echo 'not signed' >&2; exit 1")
			r.refused(1, "not signed", "undo", "-yes")
			require.Empty(r.t, git(r.t, r.dir, "status", "--porcelain"))
			require.NoError(r.t, os.Remove(r.dir+"/.git/hooks/prepare-commit-msg"))
		},
		"killed": func(r *releasing) {
			git(r.t, r.dir, "revert", "--no-commit", "HEAD")
			require.NoError(r.t, os.Remove(r.dir+"/.git/REVERT_HEAD"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			r.refuseUploads("mono-core")
			_, status := r.mage("release", "-to=patch", "-yes")
			require.Equal(t, 1, status)
			at, _ := r.remote()
			fails(r)
			commits, tags := r.remote()
			require.Equal(t, at, commits)
			require.Equal(t, []string{"v0.1.7"}, tags)
			require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 was undone")
			commits, tags = r.remote()
			require.Empty(t, tags)
			require.Len(t, commits, len(at)+1, "the commit that undoes it")
			require.Empty(t, git(t, r.dir, "diff", r.base, commits[0]))
			require.Empty(t, git(t, r.dir, "status", "--porcelain"))
		})
	}
}
