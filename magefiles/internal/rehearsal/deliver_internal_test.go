package rehearsal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/rehearsal/fleet"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// If the program cannot deploy, or the workspace has nothing to deploy, the rest is rehearsed, and the report gives the reason.
func TestDeliveriesThatAreNotRehearsed(t *testing.T) {
	u := &upgrading{run: &run{}}
	_, why, err := u.hosts()
	require.NoError(t, err)
	require.Equal(t, "this magefile does not import targets/deploy, which provides the hosts", why)
	u.Hosts = func(*workspace.Workspace, string) (fleet.Hosts, string, error) {
		return nil, "no downstream has a deployment environment", nil
	}
	_, why, err = u.hosts()
	require.NoError(t, err)
	require.Equal(t, "no downstream has a deployment environment", why)
}

// environments implements Hosts for a test that only needs the names of the environments.
type environments struct {
	fleet.Hosts
	all []fleet.Environment
}

func (e environments) Environments() []fleet.Environment { return e.all }

// A delivery stops before the first environment that a CI deploys to but that has no workflow file. The report lists the remaining environments.
func TestDeliveryStopsAtTheCI(t *testing.T) {
	of := &workspace.Downstream{Image: &settings.Image{Publish: settings.PublishHere}}
	for _, c := range []struct {
		all   []fleet.Environment
		until string
		goes  bool
		left  string
	}{
		{all: []fleet.Environment{{Name: "a"}, {Name: "b"}}, goes: true},
		{all: []fleet.Environment{{Name: "a"}, {Name: "b", ByCI: true}, {Name: "c"}}, until: "a", goes: true, left: "the delivery to b and c"},
		{all: []fleet.Environment{{Name: "a", ByCI: true}, {Name: "b"}}, left: "the delivery to a and b"},
	} {
		u := &upgrading{run: &run{}}
		d := &fleet.Delivery{Hosts: environments{all: c.all}}
		require.Equal(t, c.goes, u.until(d, of))
		require.Equal(t, c.until, d.Until)
		if c.left == "" {
			require.Empty(t, u.report.Missing)
			continue
		}
		require.Equal(t, c.left, u.report.Missing[0].What)
	}
}
