package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// protect makes the remote reject pushes to the given refs.
func (r *releasing) protect(refs string) {
	hook(r.t, r.world.Remote+"/hooks", "update", `case "$1" in `+refs+`) echo "changes must be made through a pull request" >&2; exit 1;; esac`)
}

// merge merges a branch into main on the remote, as the web page does, without running hooks.
func (r *releasing) merge(branch string, squash bool) {
	dir := r.newClone()
	git(r.t, dir, "fetch", "-q", "origin", branch)
	if squash {
		git(r.t, dir, "merge", "-q", "--squash", "FETCH_HEAD")
		git(r.t, dir, "commit", "-q", "-m", "All of it (#7)")
	} else {
		git(r.t, dir, "merge", "-q", "--no-ff", "-m", "Merge pull request #7 from octo/"+branch, "FETCH_HEAD")
	}
	git(r.t, r.world.Remote, "fetch", "-q", dir, "main:main")
}

// commands returns the commands in backticks from an error's next step.
func commands(said string) (all []string) {
	_, failed, _ := strings.Cut(said, "Error: ") // skip the output before the error, which contains commands too
	_, next, _ := strings.Cut(failed, "→")
	for i, part := range strings.Split(next, "`") {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	return all
}

// TestProtectedBranch releases in a repository whose main accepts only pull requests. It runs the commands that the error of the push suggests.
func TestProtectedBranch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		by     string
		squash bool
	}{{"a merge commit", "here", false}, {"squashed", "here", true}, {"published by CI", "ci", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: c.by})
			r.protect("refs/heads/main")
			out := r.refused(1, "origin refused the push to main, and nothing of v0.1.7 was pushed", "release", "-to=patch", "-yes")
			require.Contains(t, out, "changes must be made through a pull request")
			_, tags := r.remote()
			require.Empty(t, tags)
			way := commands(out)
			require.Equal(t, []string{
				"mage undo", "git switch -c release-0.1.7", "mage version:bump -to=0.1.7 -changelog -commit", "git switch main", "git pull", "mage release -to=0.1.7",
			}, way[:6])

			for i, command := range way[:6] {
				switch words := strings.Fields(command); words[0] {
				case "mage":
					r.ok(append(words[1:], "-yes")...)
				case "git":
					git(t, r.dir, append([]string{words[1], "-q"}, words[2:]...)...)
				}
				switch i {
				case 0:
					r.untouched()
				case 2:
					git(t, r.dir, "push", "-q", "origin", "release-0.1.7")
					r.merge("release-0.1.7", c.squash)
				}
			}
			commits, tags := r.remote()
			require.Equal(t, []string{"v0.1.7"}, tags)
			require.Equal(t, commits[0], git(t, r.world.Remote, "rev-parse", "v0.1.7^{commit}"))
			require.Len(t, r.onChannel(), 3)
			require.Contains(t, readFile(t, r.dir, "CHANGELOG.md"), "## [0.1.7]")
			require.Contains(t, r.ok("status"), "v0.1.7: released")
			r.dir = r.newClone()
			require.Contains(t, r.ok("status"), "v0.1.7: released")
		})
	}
}

// TestProtectedBranchWithIndependentPackages releases one of several packages in a repository whose main accepts only pull requests.
func TestProtectedBranchWithIndependentPackages(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("versioning = \"independent\"\n")})
	r.protect("refs/heads/main")
	out := r.refused(1, "nothing of mono-p0002/v0.1.7 was pushed", "release", "-to=patch", "-only=mono-p0002", "-yes")
	require.Contains(t, commands(out), "mage version:bump -to=0.1.7 -only=mono-p0002 -changelog -commit")
	r.ok("undo", "-yes")
	git(t, r.dir, "switch", "-q", "-c", "release-0.1.7")
	r.ok("version:bump", "-to=0.1.7", "-only=mono-p0002", "-changelog", "-commit", "-yes")
	git(t, r.dir, "push", "-q", "origin", "release-0.1.7")
	r.merge("release-0.1.7", true)
	git(t, r.dir, "switch", "-q", "main")
	git(t, r.dir, "pull", "-q")
	require.Contains(t, r.ok("release", "-to=0.1.7", "-only=mono-p0002", "-yes"), "mono-p0002/v0.1.7 is released")
	_, tags := r.remote()
	require.Equal(t, []string{"mono-p0002/v0.1.7"}, tags)
}

// TestRejectedPushHasAReason checks that the error gives the reason for a rejected push, which is determined from the refs on the remote.
func TestRejectedPushHasAReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		breaks     func(r *releasing)
		says, next string
	}{
		{
			name: "somebody was faster",
			breaks: func(r *releasing) {
				other := r.newClone()
				git(r.t, other, "commit", "-q", "--allow-empty", "-m", "fix: faster")
				hook(r.t, r.dir+"/.git/hooks", "pre-push", "cd "+other+" && git push -q origin main")
			},
			says: "because someone else has pushed to origin/main",
			next: "run `mage undo` and `git pull`, and release again",
		},
		{
			name: "somebody was faster, and pushed another branch's commits too",
			breaks: func(r *releasing) {
				other := r.newClone()
				git(r.t, other, "commit", "-q", "--allow-empty", "-m", "fix: faster")
				hook(r.t, r.dir+"/.git/hooks", "pre-push", "cd "+other+" && git push -q origin main main:next")
				r.protect("refs/heads/nothing")
			},
			says: "because someone else has pushed to origin/main",
			next: "run `mage undo` and `git pull`, and release again",
		},
		{
			name: "somebody pushed the tag",
			breaks: func(r *releasing) {
				other := r.newClone()
				hook(r.t, r.dir+"/.git/hooks", "pre-push", "cd "+other+" && git push -q origin HEAD:refs/tags/v0.1.7")
			},
			says: "because origin has the tag v0.1.7 now",
			next: "run `mage undo` and `git pull`, and release again",
		},
		{
			name: "no tag is taken",
			breaks: func(r *releasing) {
				r.bumped()
				git(r.t, r.dir, "push", "-q", "origin", "main")
				r.protect("refs/tags/*")
			},
			says: "origin refused the tag of v0.1.7, but has the release's commit already",
			next: "the tag rules of origin",
		},
		{
			name: "the versions are there, and other commits are not",
			breaks: func(r *releasing) {
				r.bumped()
				git(r.t, r.dir, "push", "-q", "origin", "main")
				git(r.t, r.dir, "commit", "-q", "--allow-empty", "-m", "fix: more")
				r.protect("refs/heads/main")
			},
			says: "origin refused to add your unpushed commits to its branch main",
			next: "merge your unpushed commits by a pull request",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			c.breaks(r)
			out := r.refused(1, c.says, "release", "-to=0.1.7", "-yes")
			require.Contains(t, out, c.next)
			require.Empty(t, r.onChannel())
		})
	}
}
