package deploy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// One host, from nothing to a first version, to a second one, and back.
func TestOneHost(t *testing.T) {
	f := startFleet(t, "a")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	p := f.mustDeploy(one)
	require.Equal(t, []string{"first deployment: revision 1111 (" + one.Digest[:19] + ")"}, p.Hosts[0].Changes)
	f.runs(one, "a")
	nothing, err := f.deploy(one)
	require.NoError(t, err)
	require.Nil(t, nothing, "it is there already")
	f.mustDeploy(two)
	f.runs(two, "a")
	_, err = f.deployer().Deploy(t.Context(), Asked{Back: true})
	require.NoError(t, err)
	f.runs(one, "a")
}
