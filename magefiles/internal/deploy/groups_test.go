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

// gradual are three hosts, each of which gets a release after the one before.
func gradual(t *testing.T) *fleet {
	f := startFleet(t, "a", "b", "c")
	f.env.Canary, f.env.Batch = 1, config.Batch{Hosts: 1}
	return f
}

// names of the steps that were taken.
type listed struct{ names []string }

func (l *listed) Step(name string, f func() (string, error)) error {
	l.names = append(l.names, name)
	_, err := f()
	return err
}

func (*listed) Skipped(string, string) {}

// A release gets to the canary, and to one batch after the other then.
func TestGroupsGetItOneAfterTheOther(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one := f.push("1111", behavior{})
	steps := &listed{}
	d := f.deployer()
	d.Reporter = steps
	p, err := d.Deploy(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err, f.heard())
	require.Equal(t, [][]string{{"a"}, {"b"}, {"c"}}, p.Groups)
	require.Contains(t, strings.Join(p.Notes, "\n"), "one group of hosts after the other: a, then b, then c")
	require.Subset(t, steps.names, []string{"switch 1 of 3", "watch and drain 1 of 3", "start 2 of 3", "switch 3 of 3", "remember"})
	f.runs(one, "a", "b", "c")
}

// A group that fails takes every host back that had switched; those behind it have never left what they run.
func TestAGroupThatFailsTakesAllBack(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	for revision, host := range map[string]string{"2222": "a", "3333": "b", "4444": "c"} {
		_, err := f.deploy(f.push(revision, behavior{forHost: host, sick: func() bool { return true }}))
		require.ErrorContains(t, err, host+": it was not healthy within")
		f.runs(one, "a", "b", "c")
	}
	f.mustDeploy(f.push("5555", behavior{}))
	_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err, "a way back goes to all hosts at once")
	f.runs(one, "a", "b", "c")
}

// isPause reports whether a person is told of a pause.
func isPause(format string) bool { return strings.Contains(format, "have it; the next ones get it at") }

// paused deploys an image until the deployment is paused behind its canary, and leaves it so.
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

// A deployment that is paused is on the hosts, and locks none: it is shown, it is continued from anywhere, and another one is refused.
func TestAPauseIsNoLock(t *testing.T) {
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
			require.ErrorContains(t, err, "cannot be changed, and nothing was")
			require.Contains(t, operr.DetailOf(err), "-digest="+two.Digest+"` goes on with it; `mage deploy:rollback -env=staging` takes it back")
			f.env.User = "1000" // the hosts would not all have what was agreed to
			_, err = f.deploy(two)
			require.ErrorContains(t, err, "cannot be changed, and nothing was")
			f.env.User = ""
		}
		made := len(f.look()["a"].Containers)
		d := f.deployer()
		if clone == "another" { // which comes when the time is over
			d.Now = func() time.Time { return time.Now().Add(time.Hour) }
		}
		var waited []any // for which hosts the next ones wait
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

// A deployment that is paused is taken back from anywhere, to what ran before it, on every host.
func TestAPauseIsTakenBack(t *testing.T) {
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

// What fails while the others wait is taken back.
func TestACanaryThatFailsInThePause(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Pause = time.Minute
	var waits atomic.Bool
	d := f.deployer()
	d.Say = func(format string, _ ...any) { waits.Store(waits.Load() || isPause(format)) }
	_, err := d.Deploy(t.Context(), survey.Asked{Image: f.push("2222", behavior{forHost: "a", sick: waits.Load})})
	require.ErrorContains(t, err, "a: it was not healthy any more after the switch")
	f.runs(one, "a", "b", "c")
}

// Who waits and is overtaken meanwhile ends with a sentence, and changes nothing.
func TestWhoIsOvertakenInAPause(t *testing.T) {
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

// Who finds after a pause that somebody else has a host's lock leaves everything as it is: it is theirs.
func TestAHostThatIsLockedAfterAPause(t *testing.T) {
	t.Parallel()
	f := gradual(t)
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	f.env.Pause = 5 * time.Second // a busy machine must not be through with it before it is told
	d := f.deployer()
	d.Say = func(format string, _ ...any) {
		if isPause(format) {
			_, err := f.hosts["b"].state.Take(t.Context(), "app.staging", hoststate.Holder{Who: "jane"}, time.Minute)
			require.NoError(t, err)
		}
	}
	_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
	require.ErrorContains(t, err, "somebody else has taken the deployment over while it was paused")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	seen := f.look()
	require.Equal(t, []string{two.Ref(), one.Ref(), one.Ref()}, []string{seen["a"].Running.Image, seen["b"].Running.Image, seen["c"].Running.Image})
}
