package deploy

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// gradual starts three hosts that get a release one after another.
func gradual(t *testing.T) *fleet {
	f := startFleet(t, "a", "b", "c")
	f.env.Canary, f.env.Batch = 1, config.Batch{Hosts: 1}
	return f
}

// listed records the names of the executed steps.
type listed struct{ names []string }

func (l *listed) Step(name string, f func() (string, error)) error {
	l.names = append(l.names, name)
	_, err := f()
	return err
}

func (*listed) ShowSkipped(string, string) {}

// A release is deployed to the canary, and then to one batch after another.
func TestGroupOrder(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one := f.push("1111", behavior{})
	steps := &listed{}
	d := f.deployer()
	d.Reporter = steps
	p, err := d.Deploy(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err, f.heard())
	require.Equal(t, [][]string{{"a"}, {"b"}, {"c"}}, p.Groups)
	require.Contains(t, strings.Join(p.Notes, "\n"), "the hosts get the release in groups: a, then b, then c")
	require.Subset(t, steps.names, []string{"switch 1 of 3", "watch and drain 1 of 3", "start 2 of 3", "switch 3 of 3", "remember"})
	f.runs(one, "a", "b", "c")
}

// If a group fails, all hosts that have switched are reverted. Hosts in later groups have not changed.
func TestFailedGroupRevertsAll(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	for revision, host := range map[string]string{"2222": "a", "3333": "b", "4444": "c"} {
		_, err := f.deploy(f.push(revision, behavior{forHost: host, sick: func() bool { return true }}))
		require.ErrorContains(t, err, host+": the new container was not healthy within")
		f.runs(one, "a", "b", "c")
	}
	f.mustDeploy(f.push("5555", behavior{}))
	_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err, "a way back goes to all hosts at once")
	f.runs(one, "a", "b", "c")
}

// isPause reports whether a message is about a pause.
func isPause(format string) bool {
	return strings.Contains(format, "have the release; the next hosts get the release at")
}

// paused starts a deployment, and leaves it in the pause after its canary.
func paused(t *testing.T, f *fleet, image survey.Image) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	d := f.deployer()
	d.Say = func(format string, _ ...any) {
		if isPause(format) {
			leave()
		}
	}
	_, err := d.Deploy(ctx, survey.Asked{Image: image})
	require.ErrorIs(t, err, context.Canceled)
}

// A paused deployment is recorded on the hosts, and holds no lock. Status shows it, anyone can resume it, and other deployments are rejected.
func TestPauseHoldsNoLock(t *testing.T) {
	t.Parallel()
	for _, clone := range []string{"same", "another"} {
		f := gradual(t)
		one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
		f.mustDeploy(one)
		f.env.Pause = 2 * time.Second
		paused(t, f, two)
		seen := f.look()
		for _, host := range f.env.Hosts {
			require.Nil(t, seen[host].Holder, "nobody has the lock")
			require.Contains(t, strings.Join(seen[host].Drift, "\n"), "is paused by op on desk until ")
		}
		require.Equal(t, two.Ref(), seen["a"].Running.Image)
		require.Equal(t, one.Ref(), seen["b"].Running.Image)

		if clone == "another" {
			f.state = t.TempDir()
			_, err := f.deploy(three)
			require.ErrorContains(t, err, "has errors on a, b, c")
			require.Contains(t, operr.DetailOf(err), "-digest="+two.Digest+"` to continue this deployment, or `mage deploy:rollback -env=staging` to undo the deployment")
			f.env.User = "1000" // otherwise the hosts would not all have what was agreed to
			_, err = f.deploy(two)
			require.ErrorContains(t, err, "has errors on a, b, c")
			f.env.User = ""
		}
		made := len(f.look()["a"].Containers)
		d := f.deployer()
		if clone == "another" { // the other clone comes when the time is over
			d.Now = func() time.Time { return time.Now().Add(time.Hour) }
		}
		var waited []any // the hosts that had the release during each pause
		d.Say = func(format string, args ...any) {
			if isPause(format) {
				waited = append(waited, args[0])
			}
		}
		_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
		require.NoError(t, err, f.heard())
		require.Contains(t, waited, "a, b", "a pause has its own time, and not that of the one before it")
		require.Len(t, f.look()["a"].Containers, made, "the canary is not made twice")
		f.runs(two, "a", "b", "c")
		require.Equal(t, one.Ref(), f.look()["a"].Kept.Previous.Image)
		require.Equal(t, one.Ref(), f.look()["c"].Kept.Previous.Image)
	}
}

// A paused deployment can be undone from any clone. Every host then runs its previous release.
func TestUndoOfAPausedDeployment(t *testing.T) {
	t.Parallel()
	for _, clone := range []string{"same", "another"} {
		f := gradual(t)
		zero, one, two := f.push("0000", behavior{}), f.push("1111", behavior{}), f.push("2222", behavior{})
		f.mustDeploy(zero)
		f.mustDeploy(one)
		f.env.Pause = time.Hour
		paused(t, f, two)
		if clone == "another" {
			f.state = t.TempDir()
		}
		_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
		require.NoError(t, err, clone)
		f.runs(one, "a", "b", "c")
		require.Equal(t, zero.Ref(), f.look()["b"].Kept.Previous.Image)
	}
}

// A canary that fails while the others wait is undone.
func TestCanaryFailsDuringThePause(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Pause = time.Minute
	var waits atomic.Bool
	d := f.deployer()
	d.Say = func(format string, _ ...any) { waits.Store(waits.Load() || isPause(format)) }
	_, err := d.Deploy(t.Context(), survey.Asked{Image: f.push("2222", behavior{forHost: "a", sick: waits.Load})})
	require.ErrorContains(t, err, "a: the new container was no longer healthy after the switch")
	f.runs(one, "a", "b", "c")
}

// An operator who is overtaken during a pause gets an error, and changes nothing.
func TestOvertakenDuringAPause(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	f.env.Pause = 3 * time.Second
	d := f.deployer()
	other := make(chan error, 1)
	d.Say = func(format string, _ ...any) {
		if isPause(format) {
			back := f.deployer()
			back.State = t.TempDir()
			_, err := back.Deploy(t.Context(), survey.Asked{Back: true})
			other <- err
		}
	}
	_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
	require.NoError(t, <-other)
	require.Error(t, err)
	require.False(t, errors.Is(err, context.Canceled))
	f.runs(one, "a", "b", "c")
}

// An operator who finds after a pause that someone else has a host's lock leaves everything as it is: the deployment is theirs.
func TestHostLockedAfterAPause(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	f.env.Pause = 5 * time.Second // even a busy machine must be told before the pause is over
	d := f.deployer()
	d.Say = func(format string, _ ...any) {
		if isPause(format) {
			_, err := f.hosts["b"].state.Take(t.Context(), "app.staging", hoststate.Holder{Who: "jane"}, time.Minute)
			require.NoError(t, err)
		}
	}
	_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
	require.ErrorContains(t, err, "someone else has continued or undone this paused deployment")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	seen := f.look()
	require.Equal(t, []string{two.Ref(), one.Ref(), one.Ref()}, []string{seen["a"].Running.Image, seen["b"].Running.Image, seen["c"].Running.Image})
}
