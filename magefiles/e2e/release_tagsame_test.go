package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestUndoKeepsAColleaguesTag makes a release without a commit, during which a colleague pushes the same tag at the same commit. The release
// then believes that its own push succeeded. Undo removes the tag from this clone, but not the colleague's tag from the remote.
func TestUndoKeepsAColleaguesTag(t *testing.T) {
	t.Parallel()
	for name, tag := range map[string][]string{
		"annotated":        {"-a", "-m", "mine"},
		"light":            {},
		"of several lines": {"-a", "-m", "v0.1.7", "-m", "more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := standing(t, "here")
			r.meanwhile(func() string {
				return r.colleague("one", func(dir string) { git(t, dir, append(append([]string{"tag"}, tag...), "v0.1.7", "HEAD^")...) }, "v0.1.7")
			})
			before := r.mine()
			r.refuseUploads("mono-core")
			r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
			remote := r.refs()
			require.NotEmpty(t, remote["refs/tags/v0.1.7"])
			r.ok("undo", "-yes")
			require.Equal(t, remote, r.refs())
			require.Equal(t, before, r.mine())
		})
	}
	t.Run("once something was uploaded", func(t *testing.T) {
		t.Parallel()
		r := standing(t, "here")
		r.meanwhile(func() string {
			return r.colleague("one", func(dir string) { git(t, dir, "tag", "-a", "-m", "mine", "v0.1.7", "HEAD^") }, "v0.1.7")
		})
		r.refuseUploads("mono-p0001")
		r.refused(1, "Error: ", "release", "-to=0.1.7", "-yes")
		require.NotEmpty(t, r.onChannel())
		remote := r.refs()
		require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 cannot be undone")
		require.Equal(t, remote, r.refs())
	})
}
