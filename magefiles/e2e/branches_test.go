package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMaintenanceBranch releases from a branch that matches a pattern. The branch main must not change.
func TestMaintenanceBranch(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("branch = [\"main\", \"0.1.*\"]\n")})
	git(t, r.dir, "switch", "-q", "-c", "0.1.x")
	require.Contains(t, r.refused(1, "the remote origin has no branch 0.1.x", "release", "-to=patch", "-yes"), "git push -u origin 0.1.x")
	git(t, r.dir, "push", "-q", "origin", "0.1.x")

	git(t, r.dir, "switch", "-q", "-c", "side")
	require.Contains(t, r.refused(1, "the clone is on the branch side, but releases are made from main or 0.1.*", "release", "-to=patch", "-yes"), "git switch main")
	git(t, r.dir, "switch", "-q", "--detach")
	r.refused(1, "the clone is on no branch, but releases are made from main or 0.1.*", "release", "-to=patch", "-yes")

	git(t, r.dir, "switch", "-q", "0.1.x")
	r.refuseUploads("mono-core")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	commits, tags := r.remote()
	require.Equal(t, []string{r.base}, commits)
	require.Equal(t, []string{"v0.1.7"}, tags)
	r.refuseUploads("")

	elsewhere := r.dir
	r.dir = r.newClone() // on main, which has other versions; the new clone has no record of the release
	require.Contains(t, r.ok("status"), "no release was begun in this clone")
	git(t, r.dir, "switch", "-q", "0.1.x")
	require.Contains(t, r.ok("status"), "v0.1.7 is tagged on the remote but not complete")
	require.Contains(t, r.ok("undo", "-yes"), "removed v0.1.7 from origin, and 0.1.x stays as it is")
	_, tags = r.remote()
	require.Empty(t, tags)

	r.dir = elsewhere
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
	require.Equal(t, git(t, r.dir, "rev-parse", "HEAD"), git(t, r.world.Remote, "rev-parse", "0.1.x"))
	commits, _ = r.remote()
	require.Equal(t, []string{r.base}, commits)
}

// TestReleaseBranchByPattern configures only a pattern as the release branch.
func TestReleaseBranchByPattern(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("branch = \"release/*\"\n")})
	require.Contains(t, r.refused(1, "the clone is on the branch main, but releases are made from release/*", "release", "-to=patch", "-yes"), "switch to one of these branches with `git switch`")
	r.untouched()
	git(t, r.dir, "switch", "-q", "-c", "release/0.1")
	git(t, r.dir, "push", "-q", "origin", "release/0.1")
	require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.7 is released")
	require.Equal(t, git(t, r.dir, "rev-parse", "HEAD"), git(t, r.world.Remote, "rev-parse", "release/0.1"))
}

// TestUnfinishedOnAnotherBranch checks that the error names the branch that the unfinished release was started on.
func TestUnfinishedOnAnotherBranch(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("branch = [\"main\", \"0.1.*\"]\n")})
	hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 1")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	hook(r.t, r.world.Remote+"/hooks", "pre-receive", "exit 0")
	git(t, r.dir, "switch", "-q", "-c", "0.1.x")
	require.Contains(t, r.refused(1, "the clone is on the branch 0.1.x, but the release of v0.1.7 was begun on the branch main", "release", "-yes"), "git switch main")
	git(t, r.dir, "switch", "-q", "main")
	require.Contains(t, r.ok("release", "-yes"), "v0.1.7 is released")
}
