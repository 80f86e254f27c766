package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPublishAnAbandonedRelease gives up a release after one of its packages was uploaded. The other packages are not uploaded unless the user is
// told so and agrees.
func TestPublishAnAbandonedRelease(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here"})
	r.refuseUploads("mono-p0002")
	_, status := r.mage("release", "-to=patch", "-yes")
	require.Equal(t, 1, status)
	r.refuseUploads("")
	require.Contains(t, r.ok("undo", "-yes"), "v0.1.7 is abandoned")
	has := r.onChannel()
	require.NotEmpty(t, has)
	r.refused(3, "v0.1.7 was abandoned by `mage undo`, but this command would upload the remaining packages; nothing was sent", "publish", "-yes")
	require.Contains(t, r.refused(3, "there is no terminal to ask at", "publish"), "v0.1.7 was abandoned by `mage undo`. This command uploads the remaining packages after all.")
	require.Equal(t, has, r.onChannel())
	require.Contains(t, r.ok("release", "-to=patch", "-yes"), "v0.1.8 is released")
}

// TestReleaseOfAMissingPackage requests the release of a package that does not exist. The release fails before its first step.
func TestReleaseOfAMissingPackage(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", files: configured("versioning = \"independent\"\n")})
	for _, to := range []string{"patch", "auto", "0.1.7"} {
		out := r.refused(2, `no package named "mono-cor"`, "release", "-to="+to, "-only=mono-cor", "-yes")
		require.Contains(t, out, "mono-core")
		require.NotContains(t, out, "preflight", "no step is taken")
	}
	r.untouched()
}
