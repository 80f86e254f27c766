package deploy

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/enginetest"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
)

// One host, from nothing to a first version, to a second one, and back.
func TestOneHost(t *testing.T) {
	t.Parallel()
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

// Several hosts change together, and a second run finds nothing to do.
func TestAllHosts(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b", "c")
	f.env.Environment, f.vars["GREETING"] = []string{"GREETING"}, `it's "$HOME"`
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.runs(one, "a", "b", "c")
	_, body := f.hosts["b"].get("/healthz")
	require.Contains(t, body, `"it's \"$HOME\""`)
	f.vars["GREETING"] = "another"
	p := f.mustDeploy(one)
	require.Equal(t, []string{"the same image with another configuration"}, p.Hosts[0].Changes)
	_, body = f.hosts["c"].get("/healthz")
	require.Contains(t, body, "another")
	delete(f.vars, "GREETING")
	_, err := f.deploy(one)
	require.ErrorContains(t, err, "wants the variable GREETING")
	_, err = f.deployer().Deploy(t.Context(), Asked{Back: true})
	require.NoError(t, err, "what is gone back to has its values")
	_, body = f.hosts["c"].get("/healthz")
	require.NotContains(t, body, "another")
}

// A new container that never gets well is no success, though the old one answers: nothing was switched, and its logs are shown.
func TestTheOldContainerDoesNotCountAsSuccess(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Gate = 100 * time.Millisecond
	_, err := f.deploy(f.push("2222", behavior{sick: func() bool { return true }, logs: "it has no database"}))
	require.ErrorContains(t, err, "every host runs what it ran before")
	require.ErrorContains(t, err, "a: it was not healthy within 100ms: status 503, and more on 1 host")
	require.Contains(t, operr.DetailOf(err), "b: it was not healthy within 100ms: status 503")
	require.NotContains(t, err.Error(), "\n", "an error is one sentence")
	require.Equal(t, "put it right, and deploy again", operr.NextOf(err), "there is nothing to go on with")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	require.Contains(t, f.heard(), "it has no database")
	f.runs(one, "a", "b")
	require.Empty(t, f.look()["a"].Kept.Previous, "the failed one is nobody's past")
}

// Another revision than that of the image, in the answer of the right container.
func TestAnotherRevisionDoesNotPassTheGate(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Gate = 100 * time.Millisecond
	_, err := f.deploy(f.push("2222", behavior{says: "0000"}))
	require.ErrorContains(t, err, "its revision is 0000 in place of 2222")
	f.runs(one, "a")
}

// What exits at once ends the gate at once.
func TestWhatExitsAtOnceEndsTheGate(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Gate = time.Hour
	_, err := f.deploy(f.push("2222", behavior{exits: time.Millisecond, sick: func() bool { return true }}))
	require.ErrorContains(t, err, "it exited with status 3")
	require.Contains(t, f.heard(), "I end here")
	f.runs(one, "a")
}

// One host of three fails after the switch: the others, which had switched, go back too.
func TestHostsThatHadSwitchedGoBack(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b", "c")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Watch = 2 * time.Second
	switched := func() bool {
		return strings.HasPrefix(f.upOf("c"), "app-staging-"+hash(f.push("2222", behavior{}).Digest))
	}
	_, err := f.deploy(f.push("2222", behavior{forHost: "c", sick: switched}))
	require.ErrorContains(t, err, "c: it was not healthy any more after the switch: status 503")
	f.runs(one, "a", "b", "c")
	audit := f.look()["a"].Audit
	require.Equal(t, "taken back", audit[len(audit)-1].Result)
}

// A container that dies in the watch.
func TestWhatDiesInTheWatchGoesBack(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Watch = 5 * time.Second
	_, err := f.deploy(f.push("2222", behavior{forHost: "b", exits: 600 * time.Millisecond}))
	require.ErrorContains(t, err, "it came to its end after the switch, and was started again")
	f.runs(one, "a", "b")
}

// The very first deployment has nothing to go back to: it is removed, and that is said.
func TestTheFirstDeploymentIsRemoved(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Watch = 5 * time.Second
	_, err := f.deploy(f.push("1111", behavior{exits: 500 * time.Millisecond}))
	require.Error(t, err)
	require.Contains(t, f.heard(), "there was nothing before it to go back to; it is removed")
	h := f.look()["a"]
	require.Nil(t, h.Running)
	require.Empty(t, h.containers)
	require.Empty(t, h.Drift)
	require.Equal(t, hoststate.None, h.Up)
}

// A rollback whose image, or container, is gone changes nothing: what runs is not touched before.
func TestRollbackAsksForTheImageFirst(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	_, err := f.deployer().Deploy(t.Context(), Asked{Back: true})
	require.ErrorContains(t, err, "there is trouble on a")
	require.Contains(t, operr.DetailOf(err), "there is no release before the one that it has")
	f.mustDeploy(two)
	f.hosts["b"].engine.RemoveImage(one.Ref())
	_, err = f.deployer().Deploy(t.Context(), Asked{Back: true})
	require.Contains(t, operr.DetailOf(err), "b: the image of the release before, "+one.Ref()+", is gone")
	f.runs(two, "a")
	require.Equal(t, two.Ref(), f.look()["b"].Running.Image)
}

// A rollback records what runs, and not what was wanted; the one after it goes to what was there before both.
func TestARollbackRecordsWhatRuns(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
	f.mustDeploy(one)
	f.mustDeploy(two)
	f.mustDeploy(three)
	for _, want := range []Image{two, one} {
		_, err := f.deployer().Deploy(t.Context(), Asked{Back: true})
		require.NoError(t, err)
		f.runs(want, "a")
		require.Equal(t, want.Ref(), f.look()["a"].Kept.Current.Image)
	}
	require.Nil(t, f.look()["a"].Kept.Previous)
}

// Releases beyond those that are kept go, with their images; the current one and the one before never do.
func TestReleasesAreKept(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Keep = 2
	var images []Image
	for _, revision := range []string{"1111", "2222", "3333", "4444"} {
		images = append(images, f.push(revision, behavior{}))
		f.mustDeploy(images[len(images)-1])
	}
	h := f.look()["a"]
	require.Len(t, h.containers, 2)
	c := engine.New(f.hosts["a"].engine.Dial)
	for n, image := range images {
		_, err := c.Image(t.Context(), image.Ref())
		require.Equal(t, n < 2, errors.Is(err, engine.NotFound), image.Revision)
	}
}

// A lock is data with a lease: somebody who went away holds nobody up for longer, and who holds it now is named.
func TestALockIsFreedByItsLease(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	other := hoststate.Holder{Who: "other", From: "elsewhere", Run: "x", Since: time.Now()}
	_, err := f.hosts["b"].state.Take(t.Context(), "app.staging", other, time.Hour)
	require.NoError(t, err)
	_, err = f.deploy(one)
	require.ErrorContains(t, err, "other on elsewhere")
	require.Nil(t, f.look()["a"].Holder, "all hosts are locked, or none")
	require.Nil(t, f.look()["a"].Kept.Candidate)
	require.NoError(t, f.deployer().Unlock(t.Context()))
	require.Contains(t, f.heard(), "b: the lock was taken from other on elsewhere")
	_, err = f.hosts["b"].state.Take(t.Context(), "app.staging", other, time.Second)
	require.NoError(t, err)
	d := f.deployer()
	d.Wait = time.Minute
	require.NoError(t, d.Setup(t.Context()), "it waits too")
	_, err = f.hosts["b"].state.Take(t.Context(), "app.staging", other, time.Second)
	require.NoError(t, err)
	_, err = d.Deploy(t.Context(), Asked{Image: one})
	require.NoError(t, err)
	f.runs(one, "a", "b")
}

// Who was stopped past the lease changes nothing any more.
func TestWhoLostTheLockChangesNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	d := f.deployer()
	d.Reporter = before(stepSwitch, func() {
		_, err := f.hosts["a"].state.Unlock(t.Context(), "app.staging")
		require.NoError(t, err)
		_, err = f.hosts["a"].state.Take(t.Context(), "app.staging", hoststate.Holder{Who: "other"}, time.Hour)
		require.NoError(t, err)
	})
	_, err := d.Deploy(t.Context(), Asked{Image: f.push("2222", behavior{})})
	require.ErrorContains(t, err, "changes nothing any more")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.Equal(t, one.Ref(), f.look()["a"].Running.Image)
}

// A host that is gone blocks, until it is left out; it is brought up to date when it is back.
func TestAHostThatIsGone(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	f.hosts["b"].gone.Store(true)
	_, err := f.deploy(two)
	require.ErrorContains(t, err, "nothing was: there is trouble on b")
	require.Contains(t, operr.DetailOf(err), "-without=b")
	_, err = f.deployer().Deploy(t.Context(), Asked{Image: two, Without: []string{"b"}})
	require.NoError(t, err)
	f.hosts["b"].gone.Store(false)
	all := f.look()
	require.Equal(t, []string{"the last deployment was without b"}, all["a"].Drift)
	require.Contains(t, all["a"].Audit[len(all["a"].Audit)-1].What, "without b (")
	require.Equal(t, one.Ref(), all["b"].Running.Image)
	f.mustDeploy(two)
	f.runs(two, "a", "b")
}

// A host goes away in the middle: the others go back, the one is named, and the next run begins with it.
func TestAHostThatGoesAwayIsNamed(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	d := f.deployer()
	d.Reporter = before(stepWatch, func() { f.hosts["b"].gone.Store(true) })
	_, err := d.Deploy(t.Context(), Asked{Image: two})
	require.ErrorContains(t, err, "not every host could go back")
	require.ErrorContains(t, err, "b: ")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	f.hosts["b"].gone.Store(false)
	require.Equal(t, one.Ref(), f.look()["a"].Running.Image)
	require.Equal(t, two.Ref(), f.look()["b"].Running.Image)
	f.mustDeploy(one)
	require.Contains(t, f.heard(), "it is taken back first")
	f.runs(one, "a", "b")
}

// Secrets are in a file of their own, and nowhere else.
func TestSecretsAreInTheirFileAlone(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Secrets = []config.Secret{{Name: "KEY", Variable: "MY_KEY"}, {Name: "other", Command: []string{"show", "-a b", "$c"}}}
	f.vars["MY_KEY"] = "hush-'\"$\nhush"
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	_, body := f.hosts["a"].get("/secret/KEY")
	require.Equal(t, f.vars["MY_KEY"], body)
	_, body = f.hosts["a"].get("/secret/other")
	require.Equal(t, "show|-a b|$c", body)
	for _, r := range f.hosts["a"].engine.Requests() {
		if !strings.HasSuffix(r.Path, "#stdin") { // which is where it goes
			require.NotContains(t, r.Path+r.Body, "hush")
		}
	}
	journals, err := filepath.Glob(filepath.Join(f.state, "*", "*", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, journals)
	for _, file := range journals {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NotContains(t, string(data), "hush")
	}
	delete(f.vars, "MY_KEY")
	_, err = f.deploy(f.push("2222", behavior{}))
	require.ErrorContains(t, err, "the secret KEY is the variable MY_KEY, which is not set")
	f.runs(one, "a")
}

// What is wrong with a host is found before anything is changed.
func TestWhatKeepsAPlanFromBeingDone(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	for want, image := range map[string]Image{
		"the image is not made for linux/amd64": f.push("2222", behavior{arch: []string{"arm64"}}),
		"it cannot pull":                        {Repository: repository, Digest: localengine.Digest("never pushed")},
	} {
		_, err := f.deploy(image)
		require.Contains(t, operr.DetailOf(err), want)
	}
	f.env.Disk = 1 << 60
	_, err := f.deploy(one)
	require.Contains(t, operr.DetailOf(err), "are free, and")
	f.env.Disk = 1
	f.env.Environment = []string{"UNSET"}
	_, err = f.deploy(one)
	require.ErrorContains(t, err, "wants the variable UNSET, which is not set")
	require.Empty(t, f.look()["a"].containers)
}

// Evidence is what runs.
func TestStatusShowsWhatIsNotAsItWasLeft(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	ctx, h := t.Context(), f.hosts["a"]
	c := engine.New(h.engine.Dial)
	release := f.look()["a"].Running.Release
	labels := map[string]string{labelApp: "app", labelEnvironment: "staging", labelRelease: "by-hand"}
	id, err := c.Create(ctx, engine.Spec{Name: "mine", Image: one.Ref(), Labels: labels})
	require.NoError(t, err)
	require.Contains(t, f.look()["a"].Drift, "the container mine has our labels, and no deployment made it")
	require.NoError(t, c.Remove(ctx, id))
	enginetest.Rename(t, h.engine.Dial, release, "renamed")
	require.Contains(t, f.look()["a"].Drift, "the container of "+release+" was renamed to renamed")
	enginetest.Rename(t, h.engine.Dial, "renamed", release)
	taken, err := h.state.Take(ctx, "app.staging", hoststate.Holder{Who: "hand"}, time.Minute)
	require.NoError(t, err)
	require.NoError(t, h.state.Switch(ctx, "app.staging", taken.Fence, "elsewhere:80"))
	require.NoError(t, h.state.Release(ctx, "app.staging", taken.Fence))
	require.Contains(t, f.look()["a"].Drift, "requests go to elsewhere:80, and no container of ours answers there")
	f.mustDeploy(one)
	f.runs(one, "a")
	second := localengine.Image{Ref: repository + "@" + localengine.Digest("another index"), ID: f.look()["a"].containers[0].ImageID, Ports: []uint16{5006}}
	h.engine.Offer(second)
	require.NoError(t, c.Pull(ctx, second.Ref, engine.Login{}))
	require.Contains(t, strings.Join(f.look()["a"].Drift, "\n"), "was pulled by 2 digests")
	require.Equal(t, one.Ref(), f.look()["a"].Running.Image)
}

// For a writable volume the old container is stopped first, and started again where the new one fails.
func TestStopFirst(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.StopFirst, f.env.Volumes = true, []config.Volume{{Name: "data", Target: "/data"}}
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.mustDeploy(f.push("2222", behavior{}))
	f.mustDeploy(one)
	f.env.Gate = 300 * time.Millisecond
	_, err := f.deploy(f.push("3333", behavior{sick: func() bool { return true }}))
	require.ErrorContains(t, err, "every host runs what it ran before")
	f.runs(one, "a")
}

// Who stops a deployment and goes back wants what ran before it, and not the release before that. What had not switched is no release.
func TestARollbackTakesBackWhatHasNotEnded(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
	f.mustDeploy(one)
	f.mustDeploy(two)
	stopped := func(step string) {
		ctx, stop := context.WithCancel(t.Context())
		d := f.deployer()
		d.Reporter = before(step, stop)
		_, err := d.Deploy(ctx, Asked{Image: three})
		require.ErrorIs(t, err, context.Canceled)
	}
	back := func(want Image) {
		_, err := f.deployer().Deploy(t.Context(), Asked{Back: true})
		require.NoError(t, err)
		f.runs(want, "a")
	}
	stopped(stepWatch)
	back(two)
	stopped(stepStart)
	back(one)
}

// A deployment that is killed anywhere goes on, or is taken back.
func TestADeploymentIsKilledAnywhere(t *testing.T) {
	sessiontest.Killed(t, func(t *testing.T) sessiontest.Site[*Plan] {
		f := startFleet(t, "a")
		f.env.Watch = 30 * time.Millisecond
		one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
		f.mustDeploy(one)
		f.state = t.TempDir()
		return sessiontest.Site[*Plan]{
			Operation: func() *session.Operation[*Plan] { return f.deployer().operation(Asked{Image: two}) },
			Done:      func(t *testing.T) { f.runs(two, "a") },
			Undone:    func(t *testing.T) { f.runs(one, "a") },
		}
	})
}
