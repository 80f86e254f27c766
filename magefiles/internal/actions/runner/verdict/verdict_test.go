package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/actions/runner/verdict"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// The command that runs a job alone starts it for the same event: a file may have no job for a push.
func TestACommandForTheSameEvent(t *testing.T) {
	t.Parallel()
	for event, want := range map[string]string{
		"push":         "`mage ci:run ci.yml -job=a` runs it alone",
		"pull_request": "`mage ci:run ci.yml -event=pull_request -job=a` runs it alone",
	} {
		err := verdict.Of(&runner.Result{
			File:       ".github/workflows/ci.yml",
			Event:      event,
			Conclusion: runner.Failure,
			Jobs:       []*runner.Job{{ID: "a", Line: 3, Conclusion: runner.Failure, Why: "it has no leg"}},
		})
		require.ErrorContains(t, err, ".github/workflows/ci.yml:3: the job a is a failure: it has no leg")
		require.Equal(t, want, operr.NextOf(err))
	}
}
