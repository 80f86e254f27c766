package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReleaseWithoutACommitAmongOtherTags releases versions that are already in the manifests, in a clone like a developer's, with tags of other
// tools on the same commit. The release is stopped before the push, undone, and made again. The next release recognizes it.
func TestReleaseWithoutACommitAmongOtherTags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		tags   [][]string // arguments of git tag
		linked bool
	}{
		{"a light rc", [][]string{{"v0.1.7rc1"}}, false},
		{"an annotated rc, and a nightly", [][]string{{"-a", "-m", "x", "v0.1.7-rc.1"}, {"nightly-2026.1.1"}}, false},
		{"tags without a v, and of packages, from a linked worktree", [][]string{{"0.1.7"}, {"mono-core/v0.1.7"}, {"release-0.1.7"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			r.livedIn()
			r.bumped()
			r.pushAllOf("chore(release): v0.1.7")
			for _, args := range c.tags {
				git(t, r.dir, append([]string{"tag"}, args...)...)
			}
			git(t, r.dir, "push", "-q", "origin", "--tags")
			if c.linked {
				dir := filepath.Join(t.TempDir(), "linked")
				git(t, r.dir, "switch", "-q", "--detach")
				git(t, r.dir, "worktree", "add", "-q", dir, "main")
				r.dir = dir
			}
			before, remote := r.mine(), r.refs()
			require.Contains(t, r.rehearsed("-to=0.1.7"), "mono v0.1.7 was rehearsed")
			hook(t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			require.Contains(t, r.ok("status"), "v0.1.7 is unfinished")
			require.NoError(t, os.Remove(filepath.Join(r.world.Remote, "hooks", "pre-receive")))
			require.Contains(t, r.ok("undo", "-yes"), "removed the tag v0.1.7")
			require.Equal(t, before, r.mine())
			require.Equal(t, remote, r.refs())

			require.Contains(t, r.ok("release", "-to=0.1.7", "-yes"), "v0.1.7 is released")
			after := r.refs()
			require.NotEmpty(t, after["refs/tags/v0.1.7"])
			delete(after, "refs/tags/v0.1.7")
			require.Equal(t, remote, after)
			require.Contains(t, r.ok("status"), "v0.1.7: released")
			require.Contains(t, r.rehearsed(), "mono v0.1.8 was rehearsed")
			require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released")
		})
	}
}

// TestVersionsFromTagsWithoutACommit builds packages whose wheels get their versions from tags and whose manifests already have the new version. The
// commit also has other tags.
func TestVersionsFromTagsWithoutACommit(t *testing.T) {
	t.Parallel()
	t.Run("one version", func(t *testing.T) {
		t.Parallel()
		r := newReleasing(t, releaseOptions{by: "here", real: true, files: fromTags(lockstepTools)})
		r.bumped()
		r.pushAllOf("docs: more of it")
		git(t, r.dir, "tag", "-a", "-m", "", "v0.1.7rc1")
		git(t, r.dir, "tag", "nightly-2026.1.1")
		r.ok("release", "-to=0.1.7", "-yes")
		for _, name := range []string{"mono-core", "mono-p0001", "mono-p0002"} {
			require.Equal(t, "0.1.7", r.wheelVersion(name+"-0.1.7"), name)
		}
		require.Equal(t, r.base, git(t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"))
	})
	t.Run("versions of their own", func(t *testing.T) {
		t.Parallel()
		files := fromTags(apartTools)
		for name, text := range configured("versioning = \"independent\"\n") {
			files[name] = text
		}
		r := newReleasing(t, releaseOptions{by: "here", real: true, files: files})
		for _, name := range []string{"mono-p0001", "mono-p0002"} {
			r.ok("version:bump", "-to=0.2.0", "-only="+name, "-commit", "-yes")
		}
		r.pushAllOf("docs: more of it")
		for _, name := range []string{"mono-p0001", "mono-p0002"} {
			r.ok("release", "-to=0.2.0", "-only="+name, "-yes")
			require.Equal(t, "0.2.0", r.wheelVersion(name+"-0.2.0"), name)
			require.Equal(t, r.base, git(t, r.world.Remote, "rev-parse", name+"/v0.2.0^{commit}"))
		}
		require.Equal(t, r.base, git(t, r.dir, "rev-parse", "HEAD"))
	})
}
