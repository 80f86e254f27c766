package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A run of the CI waits for a reviewer. Who that is is said, and when it is approved the release goes on.
func TestReleaseWaitsForItsReviewer(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{reviewers: []string{"octocat", "team releases"}})
	x, _ := r.start("release", "-to=patch", "-yes")
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	defer log.Close()
	x.Stdout, x.Stderr = log, log
	require.NoError(t, x.Start())
	said := func() string {
		text, err := os.ReadFile(log.Name())
		require.NoError(t, err)
		return string(text)
	}
	waitFor(t, "the release to say who has to approve", func() bool {
		return strings.Contains(said(), "octocat or team releases has to approve the environment release")
	})
	require.Empty(t, r.onChannel(), "nothing is sent before it is approved")
	r.world.Approve()
	require.NoError(t, x.Wait(), said())
	r.released("0.1.7")
}
