package deploy

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/enginetest"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Served returns the image that all hosts of an environment run and are healthy with. Otherwise, it returns an error.
func TestServed(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	served := func() (survey.Image, error) { return f.deployer().FindServed(t.Context()) }
	_, err := served()
	require.ErrorContains(t, err, "no image can be taken over from staging: a runs nothing")
	require.Contains(t, operr.NextOf(err), "-force=REASON")
	var sick atomic.Bool
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{sick: sick.Load})
	f.mustDeploy(one)
	got, err := served()
	require.NoError(t, err)
	runs := func(image survey.Image, wantAll, wantSome bool) {
		t.Helper()
		all, some, err := f.deployer().Runs(t.Context(), image)
		require.NoError(t, err)
		require.Equal(t, [2]bool{wantAll, wantSome}, [2]bool{all, some})
	}
	runs(one, true, true)
	runs(two, false, false)
	require.Equal(t, one.Ref(), got.Ref())
	require.Equal(t, "1111", got.Revision)

	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Image: two, Without: []string{"b"}})
	require.NoError(t, err)
	runs(two, false, true)
	_, err = served()
	require.Regexp(t, `a runs revision 2222 \(.*\), and b runs revision 1111`, err)
	f.mustDeploy(two)
	ctx, kill := context.WithCancel(t.Context())
	d := f.deployer()
	d.Reporter = before(stepGate, kill)
	_, err = d.Deploy(ctx, survey.Asked{Image: one})
	require.ErrorIs(t, err, context.Canceled)
	_, err = served()
	require.ErrorContains(t, err, "a deployment to a has not ended")
	runs(one, false, true)
	f.mustDeploy(two)
	release := f.look()["b"].Running.Release
	enginetest.Rename(t, f.hosts["b"].engine.Dial, release, "renamed")
	_, err = served()
	require.ErrorContains(t, err, "no image can be taken over from staging: b was changed since its last deployment: the container of "+release+" was renamed to renamed")
	enginetest.Rename(t, f.hosts["b"].engine.Dial, "renamed", release)
	_, err = served()
	require.NoError(t, err)
	sick.Store(true)
	_, err = served()
	require.ErrorContains(t, err, "a is not healthy: status 503")
	runs(two, false, true)
	sick.Store(false)
	h := f.hosts["b"]
	byHand := engine.New(h.engine.Dial)
	require.NoError(t, byHand.Stop(t.Context(), release, time.Second))
	_, err = served()
	require.ErrorContains(t, err, "b runs nothing")
	require.NoError(t, byHand.Start(t.Context(), release))
	previous := *f.look()["b"].Kept.Previous
	require.NoError(t, byHand.Start(t.Context(), previous.ID))
	taken, err := h.state.Take(t.Context(), "app.staging", hoststate.Holder{Who: "hand"}, time.Minute)
	require.NoError(t, err)
	require.NoError(t, h.state.Switch(t.Context(), "app.staging", taken.Fence, previous.Upstream()))
	require.NoError(t, h.state.Release(t.Context(), "app.staging", taken.Fence))
	_, err = served()
	require.ErrorContains(t, err, "b runs "+one.Ref()+", but "+two.Ref()+" was deployed to this host")
	h.gone.Store(true)
	_, _, err = f.deployer().Runs(t.Context(), two)
	require.ErrorContains(t, err, "b: ", "what cannot be asked is not a no")
	_, err = served()
	require.ErrorContains(t, err, "no image can be taken over from staging: b: ")
}

// An environment gets the image that the preceding environment runs when the hosts change, not the one at the time of the confirmation.
func TestPromotion(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.After = "test"
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	now := one
	deployer := func() *Deployer {
		d := f.deployer()
		d.Before = func(context.Context) (survey.Image, error) { return now, nil }
		return d
	}
	d := deployer()
	d.Confirm = func(_ context.Context, p *survey.Plan) error {
		require.Contains(t, p.Notes, "all hosts of test run this image; this is checked again before anything is changed")
		now = two
		return nil
	}
	_, err := d.Deploy(t.Context(), survey.Asked{Image: one})
	require.ErrorContains(t, err, "test now runs sha256:"+hash(two.Digest))
	require.Nil(t, f.look()["a"].Running)
	d = deployer()
	d.Verify = func(_ context.Context, image survey.Image) error {
		require.Equal(t, two, image)
		return operr.New("see who pushed it", "it has no provenance")
	}
	_, err = d.Deploy(t.Context(), survey.Asked{Image: two})
	require.ErrorContains(t, err, "sha256:"+two.Digest[7:19]+" was not taken over from test: it has no provenance")
	require.Contains(t, operr.NextOf(err), "-force=REASON")
	require.Nil(t, f.look()["a"].Running)

	_, err = deployer().Deploy(t.Context(), survey.Asked{Image: two})
	require.NoError(t, err)
	f.runs(two, "a")
	d.Verify = func(context.Context, survey.Image) error { return errors.New("it is not asked for") }
	_, err = d.Deploy(t.Context(), survey.Asked{Image: one, Force: "test is on fire"})
	require.NoError(t, err)
	f.runs(one, "a")
	audit := f.look()["a"].Audit
	require.Contains(t, audit[len(audit)-1].What, "whatever runs on test (test is on fire)")
	now = survey.Image{}
	_, err = deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err, "a way back asks no other environment")
	f.runs(two, "a")
}

// A promotion is killed when every host has recorded it, and someone deploys to the preceding environment in the meantime. The next promotion first
// cleans up the leftovers.
func TestPromotionKilledAtItsEnd(t *testing.T) {
	t.Parallel()
	for _, step := range []string{stepStop, stepPrune, stepUnlock} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			f := startFleet(t, "a", "b")
			f.env.After = "test"
			one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
			now := one
			deployer := func() *Deployer {
				d := f.deployer()
				d.Before = func(context.Context) (survey.Image, error) { return now, nil }
				return d
			}
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			d := deployer()
			d.Reporter = before(step, kill)
			_, err := d.Deploy(ctx, survey.Asked{Image: one})
			require.ErrorIs(t, err, context.Canceled)
			now = two
			_, err = deployer().Deploy(t.Context(), survey.Asked{Image: two})
			require.NoError(t, err)
			f.runs(two, "a", "b")
		})
	}
}
