package cirun_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/cirun"
)

// The next step runs a file for an event that starts the file: for a push without a flag, or for another event with -event.
func TestNextStepRunsAFile(t *testing.T) {
	for _, c := range []struct {
		events []string
		want   string
	}{
		{[]string{"pull_request", "push"}, "`mage ci:run a.yml`"},
		{[]string{"pull_request", "schedule"}, "`mage ci:run a.yml -event=pull_request`"},
		{[]string{"workflow_call", "workflow_dispatch"}, "`mage ci:run a.yml -event=workflow_dispatch`"},
		{[]string{"workflow_call"}, "`mage ci:triggers`"},
	} {
		told := cirun.Told{File: ".github/workflows/a.yml", Needs: []cirun.Need{{What: "machines", All: []string{"x"}}, {What: "starts for", All: c.events}}}
		require.Equal(t, c.want, told.Next(), c.events)
		told.Refused = []string{"no"}
		require.Equal(t, "`mage ci:triggers`", told.Next())
	}
}
