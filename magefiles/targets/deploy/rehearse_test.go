package deploy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/localfleet"
)

// A rehearsal has the environments in the order in which `deliver` takes them: one that is first in the table comes as soon as the one before it has
// it.
func TestTheOrderOfARehearsal(t *testing.T) {
	all, err := inOrder([]config.Environment{{Name: "a", After: "c"}, {Name: "b"}, {Name: "c", Hosts: []string{"one"}, By: config.CI}, {Name: "d"}})
	require.NoError(t, err)
	var names string
	ordered := hosts{of: &localfleet.Fleet{Environments: all}}.Environments()
	for _, e := range ordered {
		names += e.Name
	}
	require.Equal(t, "bcad", names)
	require.True(t, ordered[1].ByCI)
	require.Equal(t, 1, ordered[1].Hosts)
	_, err = inOrder([]config.Environment{{Name: "a", After: "b"}, {Name: "b", After: "a"}})
	require.ErrorContains(t, err, "wait for one another")
}
