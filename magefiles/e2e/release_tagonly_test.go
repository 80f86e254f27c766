package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// standing makes a repository with manifests that are already at 0.1.7, as after a pull request, and with other work on top. Everything is on the
// remote. A release of that version makes no commit.
func standing(t testing.TB, by string) *releasing {
	t.Helper()
	r := newReleasing(t, releaseOptions{by: by})
	r.bumped()
	r.commit("feat: a week of work", map[string]string{"packages/core/week.txt": "x\n"})
	r.pushAllOf("docs: more of it")
	return r
}

// pushAllOf pushes an empty commit with the given message, from which the release will start.
func (r *releasing) pushAllOf(message string) {
	git(r.t, r.dir, "commit", "-q", "--allow-empty", "-m", message)
	git(r.t, r.dir, "push", "-q", "origin", "main")
	r.base = git(r.t, r.dir, "rev-parse", "HEAD")
}

// taggedOnly checks that the tag points at the commit that the release started from, and that there is no new commit.
func (r *releasing) taggedOnly() {
	r.t.Helper()
	commits, tags := r.remote()
	require.Equal(r.t, r.base, commits[0])
	require.Equal(r.t, r.base, git(r.t, r.dir, "rev-parse", "HEAD"))
	require.Equal(r.t, []string{"v0.1.7"}, tags)
	require.Equal(r.t, r.base, git(r.t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"))
	require.Len(r.t, r.onChannel(), 3)
}

// TestReleaseWithoutACommit releases versions that are already in the manifests. The release only makes the tag, and undo only removes the tag,
// wherever the release has stopped.
func TestReleaseWithoutACommit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		stop, free func(r *releasing)
		says       string
	}{
		{
			name: "before the tag",
			stop: func(r *releasing) {
				hook(r.t, r.dir+"/.git/hooks", "reference-transaction", `grep -q refs/tags/ && exit 1; exit 0`)
			},
			free: func(r *releasing) {
				require.NoError(r.t, os.Remove(filepath.Join(r.dir, ".git/hooks/reference-transaction")))
			},
			says: "nothing of v0.1.7 is left to undo",
		},
		{
			name: "before the push",
			stop: func(r *releasing) { hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 1") },
			free: func(r *releasing) {
				require.NoError(r.t, os.Remove(filepath.Join(r.world.Remote, "hooks", "pre-receive")))
			},
			says: "v0.1.7 is only in this clone. To undo the release:\n  no commit\n  remove tag v0.1.7 of this clone\n",
		},
		{
			name: "after the push",
			stop: func(r *releasing) { r.refuseUploads("mono-core") },
			free: func(r *releasing) { r.refuseUploads("") },
			says: "removed v0.1.7 from origin, and main stays as it is",
		},
	} {
		t.Run(c.name+", undone", func(t *testing.T) {
			t.Parallel()
			r := standing(t, "here")
			before, remote := r.mine(), r.refs()
			c.stop(r)
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			c.free(r)
			require.Contains(t, r.ok("undo", "-yes"), c.says)
			require.Equal(t, before, r.mine())
			require.Equal(t, remote, r.refs())
			r.refused(1, "no release is unfinished, so there is nothing to undo", "undo", "-yes")
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released") // the old release does not block the next one
		})
		t.Run(c.name+", gone on with", func(t *testing.T) {
			t.Parallel()
			r := standing(t, "here")
			c.stop(r)
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			c.free(r)
			out := r.rehearsed()
			require.Contains(t, out, "the release of v0.1.7 is unfinished here, and its continuation is rehearsed")
			require.Contains(t, out, "mono v0.1.7 was rehearsed")
			require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
			r.taggedOnly()
			require.Contains(t, r.ok("status"), "v0.1.7: released")
			r.refused(1, "no release is unfinished", "undo", "-yes")
		})
	}
}

// TestReleaseWithoutACommitKilled kills a release without a commit right after each journal entry. The entries up to the plan are written at once.
// The release is continued in the same clone, continued in another clone, or undone.
func TestReleaseWithoutACommitKilled(t *testing.T) {
	t.Parallel()
	how := map[string]int{}
	for entries := 5; ; entries++ {
		r := standing(t, []string{"ci", "here"}[entries/2%2])
		before, remote := r.mine(), r.refs()
		if !r.killed([]string{"release", "-to=0.1.7", "-yes"}, func() bool { return r.journalLines() >= entries }) {
			require.Greater(t, entries, 20, "there are that many entries at least")
			r.taggedOnly()
			break
		}
		switch {
		case r.ended():
			how["through"]++
		case entries%2 == 0 && len(r.onChannel()) == 0 && !r.world.CI:
			how["taken back"]++
			r.ok("undo", "-yes")
			require.Equal(t, before, r.mine())
			require.Equal(t, remote, r.refs())
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
		case entries%3 == 0:
			how["another clone"]++
			mine := r.dir
			r.dir = r.newClone()
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
			r.taggedOnly()
			r.dir = mine
			r.ok("release", "-to=0.1.7", "-yes")
		default:
			how["gone on with"]++
			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
		}
		r.taggedOnly()
	}
	t.Logf("%v", how)
}

// TestReleaseWithoutACommitAmongOthers undoes or continues a release without a commit among other users' commits and tags, which must not change.
func TestReleaseWithoutACommitAmongOthers(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(t *testing.T, r *releasing){
		"a tag that a person has made before": func(t *testing.T, r *releasing) {
			git(t, r.dir, "tag", "-a", "-m", "by hand", "v0.1.7")
			before, remote := r.mine(), r.refs()
			r.refuseUploads("mono-core")
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			require.NotEqual(t, remote, r.refs())
			r.ok("undo", "-yes")
			require.Equal(t, before, r.mine())
			require.Equal(t, remote, r.refs())
		},
		"a commit that mends a check, and gets the tag": func(t *testing.T, r *releasing) {
			r.commit("test: a check that fails", map[string]string{"fail-qa": "x\n"})
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			git(t, r.dir, "rm", "-q", "fail-qa")
			git(t, r.dir, "commit", "-q", "-m", "fix: the check")
			r.base = git(t, r.dir, "rev-parse", "HEAD")
			hook(t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
			r.refused(1, "Error: ", "release", "-yes")
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "v0.1.7^{commit}"))
			require.Contains(t, r.ok("undo", "-yes"), "removed the tag v0.1.7")
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
			require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
		},
		"commits of a colleague's on the remote since": func(t *testing.T, r *releasing) {
			before := r.mine()
			r.refuseUploads("mono-core")
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			theirs := r.by("one") // this clone has not fetched that commit
			require.Contains(t, r.ok("undo", "-yes"), "main stays as it is")
			require.Equal(t, before, r.mine())
			require.Equal(t, theirs, git(t, r.world.Remote, "rev-parse", "main"))
			require.Empty(t, git(t, r.world.Remote, "tag", "--list", "v0.1.7"))
		},
		"a colleague's release of the same commit": func(t *testing.T, r *releasing) {
			hook(t, r.dir+"/.git/hooks", "reference-transaction", `grep -q refs/tags/ && exit 1; exit 0`)
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			require.NoError(t, os.Remove(filepath.Join(r.dir, ".git/hooks/reference-transaction")))
			shell(t, r.colleague("one", func(dir string) { git(t, dir, "tag", "-a", "-m", "mine", "v0.1.7", "HEAD^") }, "v0.1.7"))
			before, remote := r.mine(), r.refs()
			r.ok("undo", "-yes")
			require.Equal(t, before, r.mine())
			require.Equal(t, remote, r.refs())
		},
		"a colleague's release of a later commit": func(t *testing.T, r *releasing) {
			hook(t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			require.NoError(t, os.Remove(filepath.Join(r.world.Remote, "hooks", "pre-receive")))
			shell(t, r.colleague("one", func(dir string) { git(t, dir, "tag", "-a", "-m", "mine", "v0.1.7") }, "HEAD:refs/heads/main", "v0.1.7"))
			remote := r.refs()
			r.refused(1, "and does not belong to this release", "release", "-yes")
			require.Contains(t, r.ok("undo", "-yes"), "removed the tag v0.1.7")
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
			require.Equal(t, remote, r.refs())
		},
		"changes in the work tree": func(t *testing.T, r *releasing) {
			hook(t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			write(t, r.dir, "packages/core/week.txt", "edited\n")
			require.Contains(t, r.ok("undo", "-yes"), "removed the tag v0.1.7")
			require.Equal(t, "edited\n", readFile(t, r.dir, "packages/core/week.txt"))
			require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, standing(t, "here"))
		})
	}
}

// TestReleaseWithVersionsInBuildEnvironments sets a version in the environment of a build. A release fails if that version differs from the package's
// version. Otherwise it updates the variable together with the version.
func TestReleaseWithVersionsInBuildEnvironments(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	manifest := readFile(t, r.dir, "packages/core/pixi.toml")
	told := func(version string) map[string]string {
		return map[string]string{"packages/core/pixi.toml": strings.Replace(manifest, "noarch = true", "noarch = true, env = { PDM_BUILD_SCM_VERSION = \""+version+"\" }", 1)}
	}
	r.commit("build: tell it", told("0.1.5"))
	r.refused(1, "mono-core has version 0.1.5, but 0.1.6 in packages/core/pixi.toml:", "release", "-to=patch", "-yes")
	r.commit("build: tell it rightly", told("0.1.6"))
	require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
	require.Contains(t, readFile(t, r.dir, "packages/core/pixi.toml"), "PDM_BUILD_SCM_VERSION = \"0.1.7\" }")
}
