package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNobodyPublishes releases in a repository without a CI configuration and without a publisher in the manifest. A new release is refused before
// anything is changed. Versions without a tag and a tag that someone pushed are refused too. Each error suggests a command that works.
func TestNobodyPublishes(t *testing.T) {
	t.Parallel()
	o := releaseOptions{by: "ci", files: map[string]string{}}
	o.files["pixi.toml"] = strings.Replace(configured("")["pixi.toml"], "publish = \"here\"\n", "", 1)
	t.Run("a new release", func(t *testing.T) {
		t.Parallel()
		r := newReleasing(t, o)
		out := r.refused(1, "nothing would publish: no file in .github/workflows runs `mage publish`", "release", "-to=minor", "-yes")
		require.Contains(t, out, "publish from this machine with `mage release -to=minor -publish=here`; if another CI publishes, pass -publish=ci")
		r.untouched()
		r.ok("release", "-to=minor", "-publish=ci", "-yes")
		r.released("0.2.0")
	})
	t.Run("a rehearsal", func(t *testing.T) {
		t.Parallel()
		out := newReleasing(t, o).rehearsed("-to=minor")
		require.Contains(t, out, "mono v0.2.0 was rehearsed")
		require.Contains(t, out, "\n→ run `mage ci:write`, then commit and push release.yml, which publishes the packages; or publish from this machine with `mage release -to=minor -publish=here`")
		require.NotContains(t, out, "To install it")
		require.NotContains(t, out, "Until the first upload")
	})
	t.Run("versions that wait for their tag", func(t *testing.T) {
		t.Parallel()
		r := newReleasing(t, o)
		r.bumped()
		git(t, r.dir, "push", "-q", "origin", "main")
		out := r.refused(1, "nothing would publish v0.1.7", "release", "-yes")
		require.Contains(t, out, "→ run `mage release -publish=here` to publish from this machine")
		require.Empty(t, git(t, r.dir, "tag", "--list", "v0.1.7"))
		r.ok("release", "-publish=here", "-yes")
		require.Len(t, r.onChannel(), 3)
	})
	t.Run("a tag that someone pushed", func(t *testing.T) {
		t.Parallel()
		r := newReleasing(t, releaseOptions{by: "here", files: o.files})
		r.bumped()
		r.pushTag("v0.1.7")
		git(t, r.dir, "push", "-q", "origin", "main")
		r.refused(1, "nothing would publish v0.1.7", "release", "-yes")
		r.ok("release", "-publish=here", "-yes")
		require.Len(t, r.onChannel(), 3)
	})
}
