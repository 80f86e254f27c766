package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUnpushedVersionsOfAUser has versions that a user bumped and committed in the clone, with or without a tag, but did not push. The commands that
// encounter these versions report them, with a command that releases them.
func TestUnpushedVersionsOfAUser(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, says, next string
		make             func(r *releasing)
		release          func(r *releasing)
	}{
		{
			name:    "tagged",
			says:    "v0.1.7 is tagged in this clone (commit ",
			next:    "→ `mage release -to=0.1.7` checks, builds and publishes this version",
			make:    func(r *releasing) { git(r.t, r.dir, "tag", "v0.1.7") },
			release: func(r *releasing) { r.ok("release", "-to=0.1.7", "-yes") },
		},
		{
			name: "tagged, with work on top",
			says: "v0.1.7 is tagged in this clone (commit ",
			next: "→ `git push --atomic origin HEAD:main v0.1.7`, then `mage release`",
			make: func(r *releasing) {
				git(r.t, r.dir, "tag", "v0.1.7")
				r.commit("docs: more", map[string]string{"docs/more.txt": "x"})
			},
			release: func(r *releasing) {
				git(r.t, r.dir, "push", "-q", "--atomic", "origin", "HEAD:main", "v0.1.7")
				r.ok("release", "-yes")
			},
		},
		{
			name:    "not tagged",
			says:    "v0.1.7 is in the manifests (commit ",
			next:    "→ `mage release -to=0.1.7` checks, builds and publishes this version",
			make:    func(*releasing) {},
			release: func(r *releasing) { r.ok("release", "-to=0.1.7", "-yes") },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newReleasing(t, releaseOptions{by: "here"})
			r.bumped()
			c.make(r)
			said := r.ok("status")
			require.Contains(t, said, c.says)
			require.Contains(t, said, c.next)
			require.Contains(t, r.ok("status", "-json"), `"unsent": [`)
			require.Contains(t, r.refused(2, c.says, "release", "-yes"), c.next)
			c.release(r)
			require.Contains(t, r.ok("status"), "v0.1.7: released")
			require.Len(t, r.onChannel(), 3)
		})
	}
	t.Run("another one is released", func(t *testing.T) {
		t.Parallel()
		r := newReleasing(t, releaseOptions{by: "here"})
		r.bumped()
		git(t, r.dir, "tag", "v0.1.7")
		said := r.ok("release", "-to=patch", "-yes")
		require.Contains(t, said, "but is not pushed, so this release leaves v0.1.7 out")
		require.Contains(t, said, "v0.1.8 is released")
	})
}
