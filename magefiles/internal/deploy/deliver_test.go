package deploy_test

import (
	"context"
	"errors"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/delivery"
	"github.com/foopack/foopack/magefiles/internal/deploy"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

var deliverSeed = flag.Uint64("deliverseed", 0, "seed of the random moments; 0 takes one of the clock")

// line is a repository whose application is delivered to staging and then to production, on in-process hosts.
type line struct {
	t      *testing.T
	repo   *gitrepo.Repo
	root   string
	git    func(args ...string) string
	places []*deploy.Hosts // staging, production
	image  survey.Image    // image of the checked-out commit
	state  string          // journal folder of the clone that delivers
	ask    func()          // called during the confirmation before production
}

func startLine(t *testing.T, staging, production []string) *line {
	l := &line{t: t, state: t.TempDir(), ask: func() {}}
	l.repo, l.root, l.git = gitrepotest.Open(t)
	gitrepotest.AddRemote(t, l.root, l.git)
	l.places = []*deploy.Hosts{deploy.StartHosts(t, "staging", "", staging...), deploy.StartHosts(t, "production", "staging", production...)}
	return l
}

// commit makes a commit with its image.
func (l *line) commit() {
	l.git("commit", "-q", "--allow-empty", "-m", "feat: more")
	l.image = l.push(l.git("rev-parse", "HEAD"))
}

func (l *line) push(revision string) (image survey.Image) {
	for _, place := range l.places {
		image = place.Push(revision)
	}
	return image
}

// place is an environment of a delivery.
type place struct{ *deploy.Deployer }

func (p place) Name() string  { return p.Environment.Name }
func (p place) After() string { return p.Environment.After }

func (p place) Deploy(ctx context.Context, image survey.Image) error {
	_, err := p.Deployer.Deploy(ctx, survey.Asked{Image: image})
	return err
}

func (p place) Back(ctx context.Context) error {
	_, err := p.Deployer.Deploy(ctx, survey.Asked{Back: true})
	return err
}

// delivery returns a delivery in the clone.
func (l *line) delivery() *delivery.Delivery {
	staging, production := l.places[0].Deployer(l.state), l.places[1].Deployer(l.state)
	production.Before = staging.FindServed
	image := l.image
	return &delivery.Delivery{Means: delivery.Means{
		App:     "app",
		Repo:    l.repo,
		Store:   &bump.Store{Top: l.root, Dir: l.state},
		State:   filepath.Join(l.state, "deliver"),
		Remote:  "origin",
		Pins:    func(context.Context) (*bump.Plan, error) { return &bump.Plan{}, nil },
		Find:    func(context.Context, string) (survey.Image, bool, error) { return image, true, nil },
		Stages:  []delivery.Stage{place{staging}, place{production}},
		Confirm: func(context.Context, *delivery.Plan) error { return nil },
		Approve: func(context.Context, string) error { l.ask(); return nil },
		Say:     l.t.Logf,
	}}
}

// killed runs a delivery that is killed after the given number of requests to hosts. Later requests get no response.
func (l *line) killed(after int64) error {
	ctx, kill := context.WithCancel(l.t.Context())
	defer kill()
	var left atomic.Int64
	left.Store(after)
	l.all(func(e *localengine.Engine) {
		e.Fail(func(localengine.Request) localengine.Fault {
			if left.Add(-1) >= 0 {
				return localengine.None
			}
			kill()
			return localengine.Unanswered
		})
	})
	_, err := l.delivery().Run(ctx)
	l.all(func(e *localengine.Engine) { e.Fail(nil) })
	return err
}

func (l *line) all(f func(e *localengine.Engine)) {
	for _, place := range l.places {
		for _, e := range place.Engines() {
			f(e)
		}
	}
}

// A delivery is killed at fifty random moments, and resumed by the same or another clone. In between, each host is healthy and serves the old or
// the new release. In the end all hosts run the new one, and nothing is left of the killed runs.
func TestDeploymentKilledAtRandom(t *testing.T) {
	seed := *deliverSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-deliverseed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	l := startLine(t, []string{"a", "b"}, []string{"c"})
	l.commit()
	_, err := l.delivery().Run(t.Context())
	require.NoError(t, err)
	const kills = 50
	deliveries, elsewhere := 0, 0
	for n := 0; n < kills; {
		before := l.image
		l.commit()
		deliveries++
		for ; n < kills; n++ {
			if l.killed(1+random.Int64N(800)) == nil {
				break
			}
			for _, place := range l.places {
				for _, h := range place.Deployer(l.state).Look(t.Context(), 0) {
					require.NotNil(t, h.Running, "%s: %s %v", h.Name, h.Trouble, h.Drift)
					require.True(t, h.Running.Healthy, h.Name)
					require.Contains(t, []string{before.Ref(), l.image.Ref()}, h.Running.Image, h.Name)
				}
			}
			if random.IntN(3) == 0 { // another clone, after the lease has expired
				elsewhere++
				l.state = t.TempDir()
				for _, place := range l.places {
					require.NoError(t, place.Deployer(l.state).Unlock(t.Context()))
				}
			}
		}
		_, err := l.delivery().Run(t.Context())
		require.NoError(t, err, "%s %s", operr.NextOf(err), operr.DetailOf(err))
		for _, place := range l.places {
			require.NoError(t, place.Deployer(l.state).Unlock(t.Context())) // a run that was killed at its very end does not release its lock
			place.Runs(l.image)
		}
	}
	begin := time.Now()
	nothing, err := l.delivery().Run(t.Context())
	require.NoError(t, err)
	require.Nil(t, nothing)
	t.Logf("a delivery that is finished, begun again: %v", time.Since(begin).Round(time.Millisecond))
	t.Logf("%d kills of %d deliveries, gone on with from another clone %d times", kills, deliveries, elsewhere)
}

// If someone deploys to staging during the confirmation, production does not change, and the next delivery asks about the image that staging runs
// then.
func TestDeploymentDuringAPromotion(t *testing.T) {
	t.Parallel()
	l := startLine(t, []string{"a"}, []string{"c"})
	l.commit()
	first := l.image
	_, err := l.delivery().Run(t.Context())
	require.NoError(t, err)
	l.commit()
	other := l.push("another")
	l.ask = func() {
		_, err := l.places[0].Deployer(t.TempDir()).Deploy(t.Context(), survey.Asked{Image: other})
		require.NoError(t, err)
	}
	_, err = l.delivery().Run(t.Context())
	require.ErrorContains(t, err, "deploy to staging: the step was done, but its check no longer finds the result")
	l.places[0].Runs(other)
	l.places[1].Runs(first)

	// Production also remains unchanged if someone deploys to staging after the confirmation but before the hosts change.
	l.ask = func() {}
	production := l.places[1].Deployer(l.state)
	production.Before = l.places[0].Deployer(l.state).FindServed
	_, err = production.Deploy(t.Context(), survey.Asked{Image: l.image})
	require.ErrorContains(t, err, "staging now runs ")
	require.ErrorContains(t, err, "but the plan deploys ")
	l.places[1].Runs(first)

	// If only some staging hosts have an image, it is not deployed to production.
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	half := l.places[0].Deployer(t.TempDir())
	half.Say = func(string, ...any) {}
	half.Reporter = stopping{before: "gate", stop: kill}
	_, err = half.Deploy(ctx, survey.Asked{Image: first})
	require.ErrorIs(t, err, context.Canceled)
	_, err = production.Deploy(t.Context(), survey.Asked{Image: other})
	require.ErrorContains(t, err, "no image can be taken over from staging: a deployment to a has not ended")
	require.False(t, errors.Is(err, context.Canceled))
	require.True(t, strings.HasPrefix(operr.NextOf(err), "run `mage deploy:status -env=staging`"), operr.NextOf(err))
	l.places[1].Runs(first)
}

// stopping aborts a run before a step.
type stopping struct {
	before string
	stop   func()
}

func (s stopping) Step(name string, f func() (string, error)) error {
	if name == s.before {
		s.stop()
	}
	_, err := f()
	return err
}

func (stopping) ShowSkipped(string, string) {}
