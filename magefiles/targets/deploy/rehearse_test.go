package deploy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/localfleet"
)

// A rehearsal has the environments in the order of `deliver`. An environment that follows another one comes after it, even if it is earlier in the
// table.
func TestEnvironmentOrderInARehearsal(t *testing.T) {
	all, err := inOrder([]config.Environment{{Name: "a", After: "c"}, {Name: "b"}, {Name: "c", Hosts: []string{"one"}, By: config.CI}, {Name: "d"}})
	require.NoError(t, err)
	var names string
	ordered := hosts{local: &localfleet.Fleet{Environments: all}}.Environments()
	for _, e := range ordered {
		names += e.Name
	}
	require.Equal(t, "bcad", names)
	require.True(t, ordered[1].ByCI)
	require.Equal(t, 1, ordered[1].Hosts)
	require.Equal(t, "c", ordered[2].After)
	_, err = inOrder([]config.Environment{{Name: "a", After: "b"}, {Name: "b", After: "a"}})
	require.ErrorContains(t, err, "wait for one another")
}

// A rehearsal skips the waits that a stand-in does not need, and uses no settings of the person or of this machine.
func TestAnEnvironmentInRehearsal(t *testing.T) {
	e := inRehearsal(config.Environment{
		Name:      "production",
		Port:      443,
		TLS:       true,
		SSHConfig: "ci/ssh_config",
		Disk:      1e15,
		Watch:     time.Hour,
		Drain:     time.Millisecond,
		Pause:     time.Minute,
	})
	require.Equal(t, config.Environment{
		Name:  "production",
		Port:  443,
		Watch: rehearsedWatch,
		Drain: time.Millisecond,
		Pause: rehearsedWatch,
	}, e)
}
