package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// A user may have no credential for a private channel to which the CI publishes by OIDC. The release does not wait for files that it cannot see, and
// undo refuses if the release's files may be on the channel.
func TestReleaseByCIToAnUnreadableChannel(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "ci", private: byVariable})
	key := r.env
	r.env = command.Unset(r.env, "PREFIX_API_KEY")
	require.Contains(t, r.refused(1, "is not visible without a credential", "release", "-to=patch", "-yes"), "set PREFIX_API_KEY to a key that can read the channel")
	r.refused(3, "may have uploaded v0.1.7 to ", "undo", "-yes")
	_, tags := r.remote()
	require.Equal(t, []string{"v0.1.7"}, tags)
	r.env = key
	r.ok("release", "-to=patch", "-yes")
	r.released("0.1.7")
}
