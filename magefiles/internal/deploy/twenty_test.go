package deploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
)

// A release is deployed to twenty hosts, in a canary and two batches. If a host in any group fails, all hosts run their old release, and hosts in
// later groups have never changed.
func TestAFailureInEachBatchOfTwentyHosts(t *testing.T) {
	t.Parallel()
	var names []string
	for n := range 20 {
		names = append(names, fmt.Sprintf("vm%02d", n+1))
	}
	f := startFleet(t, names...)
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Canary, f.env.Batch, f.env.Gate = 1, config.Batch{Percent: 50}, f.env.Gate/2
	groups := f.env.Groups(names)
	require.Len(t, groups, 3)
	since := f.look()
	for n, group := range groups {
		bad := group[len(group)-1]
		image := f.push(fmt.Sprint("bad", n), behavior{forHost: bad, exits: 1, sick: func() bool { return true }})
		_, err := f.deploy(image)
		require.ErrorContains(t, err, bad+": the new container exited with status 3")
		require.ErrorContains(t, err, "every host runs what it ran before")
		f.runs(one, names...)
		now := f.look()
		for _, host := range names {
			require.Equal(t, since[host].Running.Since, now[host].Running.Since, "what ran there was not started anew")
			audit := now[host].Audit
			require.Equal(t, "taken back", audit[len(audit)-1].Result)
		}
		for _, later := range groups[n+1:] {
			for _, host := range later {
				for _, r := range f.hosts[host].engine.Requests() {
					require.False(t, strings.Contains(r.Path, "/containers/create") && strings.Contains(r.Body, image.Digest), "%s has it before its turn", host)
				}
			}
		}
	}
}

// Hosts are added and removed between two runs: a killed run is undone on the hosts that it had, and the next run uses the current hosts.
func TestHostsChangeBetweenTwoRuns(t *testing.T) {
	t.Parallel()
	for step, want := range map[string]string{StepSwitch: "1111", stepWatch: "1111", stepStop: "2222"} {
		f := startFleet(t, "a", "b", "c")
		f.env.Hosts = []string{"a", "b"}
		one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
		f.mustDeploy(one)
		f.killed(two, step)
		f.env.Hosts = []string{"a", "c"}
		f.mustDeploy(two)
		f.runs(two, "a", "c")
		f.env.Hosts = []string{"b"}
		gone := map[string]survey.Image{"1111": one, "2222": two}[want]
		f.runs(gone, "b")
		f.env.Hosts = []string{"c", "b", "a"}
		f.mustDeploy(two)
		f.runs(two, "a", "b", "c")
		require.Equal(t, one.Ref(), f.look()["b"].Kept.Previous.Image, step)
	}
}
