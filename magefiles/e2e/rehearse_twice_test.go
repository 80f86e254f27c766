package e2e_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/rehearsal"
)

// Two rehearsals of the same commit at different times produce identical artifacts.
func TestRehearsalsAreReproducible(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{})
	r.env = command.Unset(r.env, "GIT_COMMITTER_DATE", "GIT_AUTHOR_DATE", "SOURCE_DATE_EPOCH")
	var digests [2][]string
	for i := range digests {
		x, _ := r.start("rehearse", "-json")
		x.Stdout, x.Stderr = nil, nil
		out, err := x.Output()
		require.NoError(t, err, "%s", out)
		ended := time.Now()
		var report rehearsal.Report
		require.NoError(t, json.Unmarshal(out, &report))
		for _, p := range report.Packages {
			digests[i] = append(digests[i], p.Name+" "+p.SHA256)
		}
		time.Sleep(time.Until(ended.Truncate(time.Second).Add(time.Second))) // commit times have a resolution of one second
	}
	require.Len(t, digests[0], 3)
	require.Equal(t, digests[0], digests[1])
}
