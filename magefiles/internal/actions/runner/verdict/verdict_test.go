package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/verdict"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The suggested command that runs a single job uses the same event, because the file may have no job for a push.
func TestRerunCommandForTheSameEvent(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]string{
		"push":         "`mage ci:run ci.yml -job=a` runs only this job again",
		"pull_request": "`mage ci:run ci.yml -event=pull_request -job=a` runs only this job again",
	} {
		err := verdict.Of(&runner.Result{
			File:       ".github/workflows/ci.yml",
			Event:      event,
			Conclusion: runner.Failure,
			Jobs:       []*runner.Job{{ID: "a", Line: 3, Conclusion: runner.Failure, Why: "it has no leg"}},
		})
		require.ErrorContains(t, err, ".github/workflows/ci.yml:3: the job a ended with failure: it has no leg")
		require.Equal(t, want, operr.NextOf(err))
	}
}
