package rehearsal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// A program that cannot deploy, and a workspace of which nothing is deployed, are rehearsed as far as they go, which is said.
func TestDeliveriesThatAreNotRehearsed(t *testing.T) {
	r := &run{}
	require.NoError(t, r.deliver(t.Context(), nil, Images{}))
	r.Hosts = func(*workspace.Workspace, string) (fleet.Hosts, string, error) {
		return nil, "no downstream has a deployment environment", nil
	}
	require.NoError(t, r.deliver(t.Context(), nil, Images{}))
	require.Equal(t, []Missing{
		{What: "the delivery to hosts", Why: "this magefile does not import targets/deploy, which has them"},
		{What: "the delivery to hosts", Why: "no downstream has a deployment environment"},
	}, r.report.Missing)
}
