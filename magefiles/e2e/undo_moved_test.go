package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUndoBelowALaterCommit adds a commit on top of the release's commit. It changes packages or versions, by which the release's commit is usually
// recognized. Undo reverts only the release's commit.
func TestUndoBelowALaterCommit(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *releasing){
		"a version that was raised by hand": func(r *releasing) {
			for _, file := range []string{"pixi.toml", "pyproject.toml"} {
				in("packages/p0001/"+file, `version = "0.1.7"`, `version = "0.1.8"`)(r.t, r.dir)
			}
		},
		"a package that was removed": func(r *releasing) {
			git(r.t, r.dir, "rm", "-rq", "packages/p0002")
		},
		"a manifest that cannot be read": func(r *releasing) { write(r.t, r.dir, "packages/p0002/pixi.toml", "[package\n") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			write(t, r.dir, "fail-qa", "x")
			r.commitAll("test: what fails")
			_, status := r.mage("release", "-to=patch", "-yes")
			require.Equal(t, 1, status)
			made := git(t, r.dir, "rev-parse", "HEAD")
			change(r)
			r.commitAll("feat: more")
			if strings.HasPrefix(name, "a manifest") {
				r.refused(1, "packages/p0002/pixi.toml", "undo", "-yes")
				return
			}
			out, status := r.mage("undo", "-yes")
			require.NotContains(t, out, "nothing of v0.1.7 ")
			if status != 0 { // git cannot revert below the later change; undo reports that and does not assume that it has succeeded
				require.Contains(t, out, "→")
				require.Contains(t, r.ok("status"), "v0.1.7 is unfinished since ")
				require.Empty(t, git(t, r.dir, "status", "--porcelain"))
				return
			}
			require.Contains(t, out, "reverted the commit "+made[:12])
			require.Contains(t, readFile(t, r.dir, "packages/core/pixi.toml"), `version = "0.1.6"`)
		})
	}
}

// TestRehearseOnAnyBranchName checks that a rehearsal uses the repository's branch instead of assuming main.
func TestRehearseOnAnyBranchName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, push, local, want string }{
		{"a branch of another name", "trunk", "trunk", "origin/trunk and the tags"},
		{"a topic branch beside main", "main", "topic", "origin/main and the tags"},
		{"a topic branch, and nothing was fetched", "", "topic", "origin/topic and the tags"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newReleasing(t, releaseOptions{by: "here"})
			git(t, r.dir, "remote", "remove", "origin") // this also removes the remote-tracking branches
			git(t, r.dir, "remote", "add", "origin", r.world.Remote)
			if c.push != "" {
				git(t, r.dir, "push", "-q", "origin", "HEAD:refs/heads/"+c.push)
			}
			git(t, r.dir, "branch", "-m", c.local)
			out := r.rehearsed()
			require.Contains(t, out, c.want)
			require.Contains(t, out, "published to an embedded channel from here")
		})
	}
}
