package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/enginetest"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/localproxy"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
)

// One host gets a first version, then a second one, and is rolled back to the first.
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
	_, body := f.hosts["a"].get("/healthz")
	require.Contains(t, body, `"before": ""`)
	f.mustDeploy(two)
	f.runs(two, "a")
	_, body = f.hosts["a"].get("/healthz")
	require.Regexp(t, `"before": "1111 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"`, body, "an application knows what ran before it")
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err)
	f.runs(one, "a")
	_, body = f.hosts["a"].get("/healthz")
	require.Contains(t, body, `"before": ""`, "it has the variables of then")
}

// Several hosts change together, and a second run has nothing to do.
func TestAllHosts(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b", "c")
	f.env.Environment, f.vars["GREETING"] = []string{"GREETING"}, "-it's \"$HOME\"\n x"
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.runs(one, "a", "b", "c")
	_, body := f.hosts["b"].get("/healthz")
	require.Contains(t, body, `"-it's \"$HOME\"\n x"`)
	f.vars["GREETING"] = "another"
	p := f.mustDeploy(one)
	require.Equal(t, []string{"the same image with another configuration", "a variable of `environment` has a different value"}, p.Hosts[0].Changes)
	f.env.Command, f.env.User = []string{"serve", "a b"}, "1000"
	p, err := f.deployer().Plan(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err)
	require.Equal(t, []string{"the same image with another configuration", `command: the image's own → "serve" "a b"`, "user: the image's own → 1000"}, p.Hosts[0].Changes)
	require.Contains(t, p.Settings, survey.Setting{Name: "command", Value: `"serve" "a b"`})
	require.Contains(t, p.Settings, survey.Setting{Name: "ssh_config", Value: "your own"})
	f.env.Command, f.env.User = nil, ""
	_, body = f.hosts["c"].get("/healthz")
	require.Contains(t, body, "another")
	delete(f.vars, "GREETING")
	_, err = f.deploy(one)
	require.ErrorContains(t, err, "needs the variable GREETING")
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err, "what is gone back to has its values")
	_, body = f.hosts["c"].get("/healthz")
	require.NotContains(t, body, "another")
}

// If a new container never becomes healthy, the deployment fails although the old container still responds. Requests are not switched, and the new
// container's logs are shown.
func TestUnhealthyContainerFailsDespiteTheOldOne(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Gate = 100 * time.Millisecond
	two := f.push("2222", behavior{sick: func() bool { return true }, logs: "it has no database"})
	_, err := f.deploy(two)
	require.ErrorContains(t, err, "every host runs what it ran before")
	require.ErrorContains(t, err, "a: the new container was not healthy within 100ms: status 503; also errors on 1 host")
	require.Contains(t, operr.DetailOf(err), "b: the new container was not healthy within 100ms: status 503")
	require.NotContains(t, err.Error(), "\n", "an error is one sentence")
	require.Equal(t, "correct the error, and deploy again", operr.NextOf(err), "there is nothing to go on with")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	require.Contains(t, f.heard(), "it has no database")
	f.runs(one, "a", "b")
	require.Empty(t, f.look()["a"].Kept.Previous, "the failed one is nobody's past")
	for _, h := range f.hosts {
		_, err := h.client.Image(t.Context(), two.Ref())
		require.ErrorIs(t, err, engine.NotFound, "what failed takes no room on a disk")
	}
	f.env.Health = "/nothing"
	_, err = f.deploy(one)
	require.Error(t, err)
	_, err = f.hosts["a"].client.Image(t.Context(), one.Ref())
	require.NoError(t, err, "the image that runs stays")
}

// A container of the right image does not pass the gate if it reports a different revision than the image's.
func TestWrongRevisionFailsTheGate(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Gate = 100 * time.Millisecond
	_, err := f.deploy(f.push("2222", behavior{says: "0000"}))
	require.ErrorContains(t, err, "its revision is 0000 instead of 2222")
	f.runs(one, "a")
}

// If a container exits immediately, the gate fails immediately.
func TestContainerThatExitsFailsTheGate(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Gate = time.Hour
	_, err := f.deploy(f.push("2222", behavior{exits: time.Millisecond, sick: func() bool { return true }}))
	require.ErrorContains(t, err, "the new container exited with status 3")
	require.Contains(t, f.heard(), "I end here")
	f.runs(one, "a")
}

// If one of three hosts fails after the switch, the others, which have already switched, are reverted too.
func TestSwitchedHostsAreReverted(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b", "c")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Watch = 2 * time.Second
	switched := func() bool {
		return strings.HasPrefix(f.upOf("c"), "app-staging-"+hash(f.push("2222", behavior{}).Digest))
	}
	_, err := f.deploy(f.push("2222", behavior{forHost: "c", sick: switched}))
	require.ErrorContains(t, err, "c: the new container was no longer healthy after the switch: status 503")
	f.runs(one, "a", "b", "c")
	audit := f.look()["a"].Audit
	require.Equal(t, "taken back", audit[len(audit)-1].Result)
}

// If a container exits during the watch, all hosts are reverted.
func TestContainerThatExitsInTheWatch(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Watch = 5 * time.Second
	switched := func() bool { return strings.HasPrefix(f.upOf("b"), "app-staging-"+hash(localengine.Digest("2222"))) }
	_, err := f.deploy(f.push("2222", behavior{forHost: "b", dies: switched}))
	require.ErrorContains(t, err, "after the switch")
	require.Regexp(t, "the new container (exited after the switch|exited with status 3|exits again and again)", err.Error()) // depends on timing
	f.runs(one, "a", "b")
}

// A failed first deployment has no previous release: it is removed, and the error says so.
func TestTheFirstDeploymentIsRemoved(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Watch = 5 * time.Second
	_, err := f.deploy(f.push("1111", behavior{exits: 500 * time.Millisecond}))
	require.Error(t, err)
	require.Contains(t, f.heard(), "there is no earlier release to go back to; the new release is removed")
	h := f.look()["a"]
	require.Nil(t, h.Running)
	require.Empty(t, h.Containers)
	require.Empty(t, h.Drift)
	require.Equal(t, hoststate.None, h.Up)
}

// A rollback to a missing image or container changes nothing, because this is checked first.
func TestRollbackChecksTheImageFirst(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.ErrorContains(t, err, "has errors on a")
	require.Contains(t, operr.DetailOf(err), "the host has no earlier release to go back to")
	f.mustDeploy(two)
	f.hosts["b"].engine.RemoveImage(one.Ref())
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.Contains(t, operr.DetailOf(err), "b: the image of the previous release, "+one.Ref()+", does not exist any more")
	f.runs(two, "a")
	require.Equal(t, two.Ref(), f.look()["b"].Running.Image)
}

// A rollback records what actually runs. A second rollback goes to the release before both.
func TestRollbackRecordsTheRelease(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
	f.mustDeploy(one)
	f.mustDeploy(two)
	f.mustDeploy(three)
	for _, want := range []survey.Image{two, one} {
		_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
		require.NoError(t, err)
		f.runs(want, "a")
		require.Equal(t, want.Ref(), f.look()["a"].Kept.Current.Image)
	}
	require.Nil(t, f.look()["a"].Kept.Previous)
}

// Old releases are removed with their images. The current and the previous release are always kept.
func TestPruneKeepsTwoReleases(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Keep = 2
	var images []survey.Image
	for _, revision := range []string{"1111", "2222", "3333", "4444"} {
		images = append(images, f.push(revision, behavior{}))
		f.mustDeploy(images[len(images)-1])
	}
	h := f.look()["a"]
	require.Len(t, h.Containers, 2)
	c := engine.New(f.hosts["a"].engine.Dial)
	for n, image := range images {
		_, err := c.Image(t.Context(), image.Ref())
		require.Equal(t, n < 2, errors.Is(err, engine.NotFound), image.Revision)
	}
}

// A lock has a lease, so a crashed holder blocks others only until the lease expires. The error names the current holder.
func TestExpiredLeaseFreesTheLock(t *testing.T) {
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
	require.NoError(t, d.Setup(t.Context(), nil), "it waits too")
	_, err = f.hosts["b"].state.Take(t.Context(), "app.staging", other, time.Second)
	require.NoError(t, err)
	_, err = d.Deploy(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err)
	f.runs(one, "a", "b")
}

// Setup waits for a lock too, if requested.
func TestSetupWaitsForTheLock(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	_, err := f.hosts["a"].state.Take(t.Context(), "app.staging", hoststate.Holder{Who: "other"}, time.Second)
	require.NoError(t, err)
	d := f.deployer()
	require.ErrorContains(t, d.Setup(t.Context(), nil), "other has held the lock")
	d.Wait = time.Minute
	require.NoError(t, d.Setup(t.Context(), nil))
}

// A reverted host releases its lock, while another host may take longer than the renewal interval.
func TestReleasedLockIsNotLost(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.hosts["b"].engine.Fail(func(localengine.Request) localengine.Fault {
		time.Sleep(50 * time.Millisecond)
		return localengine.None
	})
	f.env.Gate = 100 * time.Millisecond
	d := f.deployer()
	d.Times.Lease = 450 * time.Millisecond
	_, err := d.Deploy(t.Context(), survey.Asked{Image: f.push("2222", behavior{sick: func() bool { return true }})})
	require.ErrorContains(t, err, "every host runs what it ran before")
	f.runs(one, "a", "b")
}

// A run that was suspended for longer than its lease makes no more changes.
func TestRunWithoutItsLockChangesNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	d := f.deployer()
	d.Reporter = before(StepSwitch, func() {
		_, err := f.hosts["a"].state.Unlock(t.Context(), "app.staging")
		require.NoError(t, err)
		_, err = f.hosts["a"].state.Take(t.Context(), "app.staging", hoststate.Holder{Who: "other"}, time.Hour)
		require.NoError(t, err)
	})
	_, err := d.Deploy(t.Context(), survey.Asked{Image: f.push("2222", behavior{})})
	require.ErrorContains(t, err, "stopped changing the host")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.Equal(t, one.Ref(), f.look()["a"].Running.Image)
}

// If a run was killed and someone has since deployed from another machine, the killed run's clone does not change that release, and can deploy
// again.
func TestDeploymentFromAnotherMachineAfterAKill(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
	f.mustDeploy(one)
	f.killed(two, stepGate)
	require.Contains(t, strings.Join(f.look()["a"].Drift, "\n"), "the deployment of app-staging-"+hash(two.Digest))
	require.NoError(t, f.deployer().Unlock(t.Context()))
	mine := f.state
	f.state = t.TempDir()
	f.mustDeploy(three)
	f.runs(three, "a")
	f.state = mine
	f.mustDeploy(one)
	require.Contains(t, f.heard(), "a is not changed, because someone else has deployed app-staging-"+hash(three.Digest))
	f.runs(one, "a")
}

// An unreachable host blocks a deployment unless it is excluded. When it returns, the next deployment updates it.
func TestUnreachableHost(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	f.hosts["b"].gone.Store(true)
	_, err := f.deploy(two)
	require.ErrorContains(t, err, "nothing was changed: the plan of staging has errors on b")
	require.Contains(t, operr.DetailOf(err), "-without=b")
	p, err := f.deployer().Plan(t.Context(), survey.Asked{Image: two})
	require.NoError(t, err)
	require.Equal(t, []bool{false, true}, []bool{p.Hosts[0].Silent, p.Hosts[1].Silent})
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Image: two, Without: []string{"b"}})
	require.NoError(t, err)
	f.hosts["b"].gone.Store(false)
	all := f.look()
	require.Equal(t, []string{"the last deployment was without b"}, all["a"].Drift)
	require.Contains(t, all["a"].Audit[len(all["a"].Audit)-1].What, "without b (")
	require.Equal(t, one.Ref(), all["b"].Running.Image)
	f.mustDeploy(two)
	f.runs(two, "a", "b")
}

// If a host disappears during a deployment, the other one is reverted, the error names the lost host, and the next run starts with it.
func TestHostLostDuringADeployment(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	d := f.deployer()
	d.Reporter = before(stepWatch, func() { f.hosts["b"].gone.Store(true) })
	_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
	require.ErrorContains(t, err, "not every host could go back")
	require.ErrorContains(t, err, "b: ")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
	f.hosts["b"].gone.Store(false)
	require.Equal(t, one.Ref(), f.look()["a"].Running.Image)
	require.Equal(t, two.Ref(), f.look()["b"].Running.Image)
	f.mustDeploy(one)
	require.Contains(t, f.heard(), "this deployment is undone first")
	f.runs(one, "a", "b")
}

// Each secret is in its own file and nowhere else.
func TestSecretsAreOnlyInTheirFiles(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Secrets = []config.Secret{{Name: "KEY", Variable: "MY_KEY"}, {Name: "other", Command: []string{"show", "-a b", "$c"}}}
	f.vars["MY_KEY"] = "hush-'\"$\nhush"
	f.env.Command = []string{"-a b", "$HOME", "it's \"quoted\"\n"}
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	words, err := json.Marshal(f.env.Command)
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(f.hosts["a"].engine.Requests(), func(r localengine.Request) bool {
		return strings.HasPrefix(r.Path, "/containers/create") && strings.Contains(r.Body, `"Cmd":`+string(words))
	}), "words of a command stay as they are")
	_, body := f.hosts["a"].get("/secret/KEY")
	require.Equal(t, f.vars["MY_KEY"], body)
	_, body = f.hosts["a"].get("/secret/other")
	require.Equal(t, "show|-a b|$c", body)
	for _, r := range f.hosts["a"].engine.Requests() {
		if !strings.HasSuffix(r.Path, "#stdin") { // the secret's intended path
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
	_, err = f.deploy(f.push("3333", behavior{exits: time.Millisecond, sick: func() bool { return true }, logs: "I was given hush-'\"$ and show|-a b|$c"}))
	require.ErrorContains(t, err, "the new container exited with status 3")
	require.Contains(t, f.heard(), "I was given *** and ***")
	require.NotContains(t, f.heard()+err.Error()+operr.DetailOf(err), "hush")
	p, err := f.deployer().Plan(t.Context(), survey.Asked{Image: f.push("4444", behavior{})})
	require.NoError(t, err)
	require.Equal(t, []string{"the secret KEY is your variable MY_KEY", `the secret other is the output of this command, which runs on this machine: ["show" "-a b" "$c"]`}, p.Notes)
	delete(f.vars, "MY_KEY")
	_, err = f.deploy(f.push("2222", behavior{}))
	require.ErrorContains(t, err, "the secret KEY comes from the variable MY_KEY, which is not set")
	f.runs(one, "a")
}

// A run is killed after it has removed a container, but before it removes the volume with its secrets. The next deployment removes the volume, and
// so does removing the environment.
func TestSecretsOfAKilledRunAreRemoved(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Secrets = []config.Secret{{Name: "KEY", Variable: "MY_KEY"}}
	f.env.Keep = 2
	f.vars["MY_KEY"] = "hush"
	client := engine.New(f.hosts["a"].engine.Dial)
	secrets := func() (releases []string) {
		all, err := client.Volumes(t.Context(), survey.LabelApp+"=app")
		require.NoError(t, err)
		for _, v := range all {
			releases = append(releases, v.Name)
		}
		return releases
	}
	kept := func() (releases []string) {
		k := f.look()["a"].Kept
		for _, v := range k.All() {
			releases = append(releases, v.ID)
		}
		return releases
	}
	killed := func(f2 func(d *Deployer, ctx context.Context) error) {
		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		f.hosts["a"].engine.Fail(func(r localengine.Request) localengine.Fault {
			if r.Method == http.MethodDelete && strings.HasPrefix(r.Path, "/volumes/") {
				kill()
			}
			if ctx.Err() != nil {
				return localengine.Unanswered
			}
			return localengine.None
		})
		require.Error(t, f2(f.deployer(), ctx))
		f.hosts["a"].engine.Fail(nil)
		require.NoError(t, f.deployer().Unlock(t.Context()))
	}
	f.mustDeploy(f.push("1111", behavior{}))
	f.mustDeploy(f.push("2222", behavior{}))
	third := f.push("3333", behavior{})
	killed(func(d *Deployer, ctx context.Context) error {
		_, err := d.Deploy(ctx, survey.Asked{Image: third})
		return err
	})
	require.Len(t, secrets(), 3)
	f.state = t.TempDir() // as in another clone
	f.mustDeploy(f.push("4444", behavior{}))
	require.ElementsMatch(t, kept(), secrets())
	require.Len(t, secrets(), 2)

	killed(func(d *Deployer, ctx context.Context) error { return d.Remove(ctx, nil) })
	require.NotEmpty(t, secrets())
	require.NoError(t, f.deployer().Remove(t.Context(), nil))
	require.Empty(t, secrets())
}

// Problems with a host are detected before anything changes.
func TestProblemsOfHosts(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	for want, image := range map[string]survey.Image{
		"the image does not fit the host's platform: expected linux/amd64, found ": f.push("2222", behavior{arch: []string{"arm64"}}),
		"the host cannot pull": {Repository: repository, Digest: localengine.Digest("never pushed")},
	} {
		_, err := f.deploy(image)
		require.Contains(t, operr.DetailOf(err), want)
	}
	f.env.Disk = 1 << 60
	_, err := f.deploy(one)
	require.Contains(t, operr.DetailOf(err), "the disk has too little free space: found ")
	f.env.Disk = 1
	f.env.Environment = []string{"UNSET"}
	_, err = f.deploy(one)
	require.ErrorContains(t, err, "needs the variable UNSET, which is not set")
	require.Empty(t, f.look()["a"].Containers)
}

// Status shows what actually runs, not what was recorded.
func TestStatusShowsDrift(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	ctx, h := t.Context(), f.hosts["a"]
	c := engine.New(h.engine.Dial)
	release := f.look()["a"].Running.Release
	labels := map[string]string{survey.LabelApp: "app", survey.LabelEnvironment: "staging", survey.LabelRelease: "by-hand"}
	id, err := c.Create(ctx, engine.Spec{Name: "mine", Image: one.Ref(), Labels: labels})
	require.NoError(t, err)
	require.Contains(t, f.look()["a"].Drift, "the container mine has the labels of this environment, but no deployment made it")
	require.NoError(t, c.Remove(ctx, id))
	enginetest.Rename(t, h.engine.Dial, release, "renamed")
	require.Contains(t, f.look()["a"].Drift, "the container of "+release+" was renamed to renamed")
	enginetest.Rename(t, h.engine.Dial, "renamed", release)
	taken, err := h.state.Take(ctx, "app.staging", hoststate.Holder{Who: "hand"}, time.Minute)
	require.NoError(t, err)
	require.NoError(t, h.state.Switch(ctx, "app.staging", taken.Fence, "elsewhere:80"))
	require.NoError(t, h.state.Release(ctx, "app.staging", taken.Fence))
	require.Contains(t, f.look()["a"].Drift, "requests go to elsewhere:80, but no container of this environment has that address")
	f.mustDeploy(one)
	f.runs(one, "a")
	second := localengine.Image{Ref: repository + "@" + localengine.Digest("another index"), ID: f.look()["a"].Containers[0].ImageID, Ports: []uint16{5006}}
	h.engine.Offer(second)
	require.NoError(t, c.Pull(ctx, second.Ref, engine.Login{}))
	require.Contains(t, strings.Join(f.look()["a"].Drift, "\n"), "was pulled by 2 digests")
	require.Equal(t, one.Ref(), f.look()["a"].Running.Image)
}

// With a writable volume, the old container is stopped first, and restarted if the new one fails.
func TestStopFirst(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.StopFirst, f.env.Volumes = true, []config.Volume{{Name: "data", Target: "/data"}}
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.mustDeploy(f.push("2222", behavior{}))
	f.mustDeploy(one)
	f.env.Gate = 300 * time.Millisecond
	since := len(f.hosts["a"].engine.Requests())
	_, err := f.deploy(f.push("3333", behavior{sick: func() bool { return true }}))
	require.ErrorContains(t, err, "every host runs what it ran before")
	f.runs(one, "a")
	var order []string
	for _, r := range f.hosts["a"].engine.Requests()[since:] {
		at, _, _ := strings.Cut(r.Path, "?")
		if what := path.Base(at); strings.Contains(at, "/containers/") && (what == "start" || what == "stop") {
			order = append(order, what)
		}
	}
	require.Equal(t, []string{"stop", "start", "stop", "start"}, order, "two never run at a time")
}

// A deployment that is killed at any point can be resumed or undone. All runs use the same host, and each starts with the state that the previous
// one left.
func TestDeploymentKilledAtEachPoint(t *testing.T) {
	f := startFleet(t, "a")
	f.env.Watch = 30 * time.Millisecond
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	sessiontest.CheckKills(t, func(t *testing.T) sessiontest.Site[*survey.Plan] {
		f.t = t
		if len(f.look()["a"].Containers) < f.env.Keep { // otherwise there is nothing to prune
			f.mustDeploy(f.push("0000", behavior{}))
			f.mustDeploy(one)
		}
		from, to := one, two
		if f.look()["a"].Running.Image == two.Ref() {
			from, to = two, one
		}
		return sessiontest.Site[*survey.Plan]{
			Operation: func() *session.Operation[*survey.Plan] { return f.deployer().operation(survey.Asked{Image: to}) },
			Done:      func(*testing.T) { f.runs(to, "a") },
			Undone:    func(*testing.T) { f.runs(from, "a") },
			Chained:   true,
		}
	})
}

// The connection breaks during a deployment, so the revert fails too. The host serves the old or the new image, and the next run completes the
// deployment. All runs use the same host.
func TestConnectionBreaksAtEachPoint(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Watch = 30 * time.Millisecond
	images := []survey.Image{f.push("1111", behavior{}), f.push("2222", behavior{})}
	e := f.hosts["a"].engine
	f.mustDeploy(images[0])
	since := len(e.Requests())
	f.mustDeploy(images[1])
	whole := len(e.Requests()) - since
	const times = 6
	for n := range times {
		to := images[n%2]
		after := whole * (2*n + 1) / (2 * times)
		e.Break(after)
		_, err := f.deploy(to)
		e.Break(-1)
		require.Error(t, err, "after %d of %d requests", after, whole)
		h := f.look()["a"]
		require.NotNil(t, h.Running)
		require.True(t, h.Running.Healthy)
		require.Contains(t, []string{images[0].Ref(), images[1].Ref()}, h.Running.Image)
		_, err = f.deploy(to)
		require.NoError(t, err, "after %d of %d requests", after, whole)
		f.runs(to, "a")
	}
}

// After a reboot, a host serves the same digest without intervention, including its secrets.
func TestARebootServesTheSameDigest(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Secrets, f.vars["KEY"] = []config.Secret{{Name: "KEY", Variable: "KEY"}}, "hush"
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.hosts["a"].engine.Down()
	require.NoError(t, f.hosts["a"].engine.Up())
	f.runs(one, "a")
	_, body := f.hosts["a"].get("/secret/KEY")
	require.Equal(t, "hush", body)
}

// If two operators deploy concurrently, one succeeds, and the other fails with the lock holder's name, or deploys afterwards.
func TestTwoOperatorsAtOnce(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	images := []survey.Image{f.push("1111", behavior{}), f.push("2222", behavior{})}
	f.mustDeploy(f.push("0000", behavior{}))
	errs := make([]error, len(images))
	var wait sync.WaitGroup
	for n, image := range images {
		d := f.deployer()
		d.State, d.Who.Who = t.TempDir(), image.Revision
		wait.Go(func() { _, errs[n] = d.Deploy(t.Context(), survey.Asked{Image: image}) })
	}
	wait.Wait()
	var there []survey.Image
	for n, err := range errs {
		if err == nil {
			there = append(there, images[n])
			continue
		}
		require.Regexp(t, "the environment is locked|someone else has deployed", err.Error())
	}
	require.NotEmpty(t, there)
	last := there[0]
	if f.look()["a"].Running.Image != last.Ref() {
		last = there[len(there)-1]
	}
	f.runs(last, "a", "b")
}

// If the registry loses an image after the pull, the deployment does not need it again.
func TestRegistryLosesTheImageAfterThePull(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	d := f.deployer()
	d.Reporter = before(stepNote, func() { f.hosts["a"].engine.Withdraw(one.Ref()) })
	_, err := d.Deploy(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err)
	f.runs(one, "a")
}

// A full disk fails the deployment before anything starts, and the error suggests what to do.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.hosts["b"].engine.Fail(func(r localengine.Request) localengine.Fault {
		if strings.HasPrefix(r.Path, "/images/create") {
			return localengine.FullDisk
		}
		return localengine.None
	})
	_, err := f.deploy(f.push("2222", behavior{}))
	require.ErrorIs(t, err, engine.NoSpace)
	require.Contains(t, operr.NextOf(err), "free space on the host's disk")
	f.runs(one, "a", "b")
}

// If the disk is full during a revert, the error names the host and what to do there, and the lock can still be removed.
func TestFullDiskDuringARevert(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	h := f.hosts["b"]
	var full []string
	for _, file := range []string{"prev", "lock"} { // directories block these files
		full = append(full, filepath.Join(h.engine.Volume(h.front.Name()+"-state"), "env", "app.staging", file+".partial"))
	}
	d := f.deployer()
	d.Reporter = before(stepGate, func() {
		for _, file := range full {
			require.NoError(t, os.Mkdir(file, 0o700))
		}
	})
	f.env.Gate = 100 * time.Millisecond
	d.Environment.Gate = f.env.Gate
	_, err := d.Deploy(t.Context(), survey.Asked{Image: f.push("2222", behavior{sick: func() bool { return true }})})
	require.ErrorContains(t, err, "not every host could go back: undoing staging/")
	require.ErrorContains(t, err, "b: the host could not write its record")
	require.Equal(t, "check whether the host's disk is full: `df -h`; then deploy again: the next deployment first returns these hosts to the previous release", operr.NextOf(err))
	require.Equal(t, one.Ref(), f.look()["b"].Running.Image)
	require.NotNil(t, f.look()["b"].Holder)
	require.NoError(t, f.deployer().Unlock(t.Context()))
	require.Nil(t, f.look()["b"].Holder)
	for _, file := range full {
		require.NoError(t, os.Remove(file))
	}
	f.mustDeploy(f.push("3333", behavior{}))
	require.Contains(t, f.heard(), "this deployment is undone first")
}

// Logs shows the containers that receive requests. Each line starts with the host, including an unterminated last line.
func TestLogs(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	f.mustDeploy(f.push("1111", behavior{logs: "one\ntwo"}))
	var out bytes.Buffer
	require.NoError(t, f.deployer().Logs(t.Context(), false, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	slices.Sort(lines)
	require.Equal(t, []string{"a  one", "a  two", "b  one", "b  two"}, lines)
}

// After waiting for the lock, a deployment detects what was deployed in the meantime, and does not change it.
func TestDeploymentAfterAWaitForTheLock(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	d := f.deployer()
	d.State, d.Wait, d.Who.Who = t.TempDir(), time.Minute, "second"
	d.Reporter = before(stepLock, func() { f.mustDeploy(two) })
	_, err := d.Deploy(t.Context(), survey.Asked{Image: f.push("3333", behavior{})})
	require.ErrorContains(t, err, "someone else has deployed since the plan was made")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	f.runs(two, "a", "b")
	require.Equal(t, one.Ref(), f.look()["a"].Kept.Previous.Image)
}

// If a deployment was overtaken by another one, it fails without changing that one, and the same clone can deploy again.
func TestOvertakenDeploymentCanBeRepeated(t *testing.T) {
	t.Parallel()
	for _, step := range []string{stepGate, StepSwitch, stepWatch} {
		f := startFleet(t, "a")
		one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
		f.mustDeploy(one)
		d := f.deployer()
		d.Reporter = before(step, func() {
			_, err := f.hosts["a"].state.Unlock(t.Context(), "app.staging")
			require.NoError(t, err)
			other := f.deployer()
			other.State, other.Who.Who = t.TempDir(), "other"
			_, err = other.Deploy(t.Context(), survey.Asked{Image: three})
			require.NoError(t, err)
		})
		_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
		require.Equal(t, operr.Stopped, operr.ExitStatus(err), "%s: %v", step, err)
		f.runs(three, "a")
		if _, err = f.deploy(two); err != nil { // the previous run may have to be finished first
			require.Equal(t, operr.Stopped, operr.ExitStatus(err), "%s: %v", step, err)
			f.runs(three, "a")
			f.mustDeploy(two)
		}
		f.runs(two, "a")
	}
}

// A release keeps its own health check: if a deployment with a different check is reverted, the old release is checked as it was deployed.
func TestReleaseKeepsItsHealthCheck(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Watch, f.env.Gate = 2*time.Second, time.Second
	f.env.Health, f.env.Revision = "/live", config.Revision{Header: "Version"}
	live := behavior{live: func() bool { return !strings.Contains(f.upOf("a"), hash(localengine.Digest("2222"))) }}
	_, err := f.deploy(f.push("2222", live))
	require.ErrorContains(t, err, "after the switch")
	require.ErrorContains(t, err, "every host runs what it ran before")
	f.runs(one, "a")
	f.env.Watch = 60 * time.Millisecond
	f.mustDeploy(f.push("3333", behavior{live: func() bool { return true }}))
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err)
	f.runs(one, "a")
}

// A killed deployment is resumed only if its configuration is unchanged. With another table or another value, it is undone, and the user is asked
// again.
func TestChangedTableDoesNotResume(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change    func(f *fleet)
		answer    error
		why, next string
	}{
		"secret": {
			change: func(f *fleet) { f.env.Secrets = []config.Secret{{Name: "KEY", Command: []string{"sh", "-c", "other"}}} },
			answer: operr.NewDeclined("not done"),
			why:    "you said no",
			next:   "run `mage deploy:status` to see what runs",
		},
		"value": {
			change: func(f *fleet) { f.vars["GREETING"] = "another" },
			answer: operr.NewStopped("add -yes", "nothing was changed: %w", operr.ErrNobody),
			why:    operr.ErrNobody.Error(),
			next:   "add -yes",
		},
	} {
		f := startFleet(t, "a")
		f.env.Environment, f.vars["GREETING"] = []string{"GREETING"}, "hello"
		one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
		f.mustDeploy(one)
		f.killed(two, stepStart)
		c.change(f)
		d := f.deployer()
		d.Confirm = func(context.Context, *survey.Plan) error { return c.answer }
		_, err := d.Deploy(t.Context(), survey.Asked{Image: two})
		require.Regexp(t, `^staging/\S+ was not deployed: `+c.why+`; the deployment staging/\S+ was undone$`, err.Error(), name)
		require.Equal(t, c.next, operr.NextOf(err), name)
		require.Contains(t, f.heard(), "this deployment is undone first")
		f.env.Port++
		_, err = f.deploy(two)
		require.NoError(t, err, "nothing is unfinished any more")
		f.killed(one, stepStart)
		f.env.Port++
		_, err = f.deploy(one)
		require.ErrorContains(t, err, "was changed after it began")
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	}
}

// In-memory secrets exist when the application starts, also after a rollback. They are gone after the last container that uses them stops.
func TestSecretsInMemory(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Secrets, f.env.Memory = []config.Secret{{Name: "KEY", Variable: "MY_KEY"}}, true
	f.vars["MY_KEY"] = "hush"
	hushed := func(image survey.Image) {
		t.Helper()
		f.runs(image, "a")
		_, body := f.hosts["a"].get("/secret/KEY")
		require.Equal(t, "hush", body)
	}
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	hushed(one)
	f.mustDeploy(two)
	hushed(two)
	_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.NoError(t, err)
	hushed(one)
	f.env.StopFirst, f.env.Gate = true, 300*time.Millisecond
	_, err = f.deploy(f.push("3333", behavior{sick: func() bool { return true }}))
	require.ErrorContains(t, err, "every host runs what it ran before")
	hushed(one)
	helpers, err := f.hosts["a"].client.Containers(t.Context(), "pixi-release.proxy.helper")
	require.NoError(t, err)
	require.Empty(t, helpers)
}

// In-memory secrets are lost in a reboot. Whether the application then exits or is unhealthy, status reports that the host needs its secrets, and
// the next deployment of the same image restores them.
func TestStatusShowsMissingSecrets(t *testing.T) {
	t.Parallel()
	for name, without := range map[string]behavior{"ends": {ends: "KEY"}, "ails": {ails: "KEY"}} {
		f := startFleet(t, "a")
		f.env.Secrets, f.env.Memory, f.vars["KEY"] = []config.Secret{{Name: "KEY", Variable: "KEY"}}, true, "hush"
		one := f.push("1111", without)
		f.mustDeploy(one)
		require.False(t, f.look()["a"].Waiting)
		f.hosts["a"].engine.Down()
		require.NoError(t, f.hosts["a"].engine.Up())
		require.True(t, f.look()["a"].Waiting, name)
		p := f.mustDeploy(one)
		require.Contains(t, p.Hosts[0].Changes[0], "the container waits for its secrets, which were only in memory → ")
		require.False(t, f.look()["a"].Waiting)
		f.runs(one, "a")
	}
}

// A secret's command runs once per run, after the confirmation and before any host changes. If it fails or prints nothing, nothing changes. A run
// that resumes after the container has started does not run it.
func TestFailingSecretCommandChangesNothing(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	f.env.Secrets = []config.Secret{{Name: "KEY", Command: []string{"show"}}, {Name: "OTHER", Command: []string{"show", "other"}}}
	one := f.push("1111", behavior{})
	ran := 0
	deploy := func(step string, output []byte, fails error) error {
		ctx, kill := context.WithCancel(t.Context())
		d := f.deployer()
		d.Reporter = before(step, kill)
		d.Output = func(context.Context, []string) ([]byte, error) {
			ran++
			return output, fails
		}
		_, err := d.Deploy(ctx, survey.Asked{Image: one})
		return err
	}
	require.ErrorContains(t, deploy("", nil, errors.New("it is locked")), "the command of the secret KEY failed: it is locked")
	require.ErrorContains(t, deploy("", []byte("\n"), nil), "the command of the secret KEY printed nothing")
	for _, h := range f.hosts {
		for _, r := range h.engine.Requests() {
			require.False(t, strings.HasPrefix(r.Path, "/images/create?") && strings.Contains(r.Path, "team"), "nothing was pulled: %s", r.Path)
		}
	}
	require.Nil(t, f.look()["a"].Holder)
	ran = 0
	require.ErrorIs(t, deploy(StepSwitch, []byte("hush"), nil), context.Canceled)
	require.Equal(t, 2, ran, "each once, for two hosts")
	require.NoError(t, deploy("", []byte("hush"), nil))
	require.Equal(t, 2, ran, "nothing is to be started any more")
	f.runs(one, "a", "b")
}

// An unreachable host does not prevent setup of the others.
func TestSetupWithoutAHost(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	f.env.Domain = "app.example.org"
	f.hosts["b"].gone.Store(true)
	d := f.deployer()
	_, err := d.Missing(t.Context(), nil)
	require.ErrorContains(t, err, "b: ")
	todo, err := d.Missing(t.Context(), []string{"b"})
	require.NoError(t, err)
	require.Len(t, todo, 1)
	require.Equal(t, "a", todo[0].Host)
	require.NoError(t, d.Setup(t.Context(), []string{"b"}))
	_, err = d.Missing(t.Context(), []string{"c"})
	require.ErrorContains(t, err, "c is not a host of staging")
	require.ErrorContains(t, d.Setup(t.Context(), []string{"a", "b"}), "all hosts of staging are left out")
	f.hosts["b"].gone.Store(false)
	todo, err = d.Missing(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, todo, 1)
	require.Equal(t, "b", todo[0].Host)
}

// Removing an environment leaves no running container, secret or used port. The audit log remains. Other environments behind the same proxy are not
// affected.
func TestRemoveAnEnvironment(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	h := f.hosts["a"]
	f.env.Secrets, f.vars["KEY"] = []config.Secret{{Name: "KEY", Variable: "KEY"}}, "hush"
	f.env.Domain = "one.example.org"
	require.NoError(t, f.deployer().Setup(t.Context(), nil))
	f.mustDeploy(f.push("1111", behavior{}))
	f.mustDeploy(f.push("2222", behavior{}))
	one := f.env
	f.env.Name, f.env.Domain = "other", "two.example.org"
	f.env.Hosts = []string{"a"}
	require.NoError(t, f.deployer().Setup(t.Context(), nil))
	three := f.push("3333", behavior{})
	f.mustDeploy(three)
	other := f.env

	f.env = one
	ctx, kill := context.WithCancel(t.Context())
	d := f.deployer()
	d.Reporter = before(stepWatch, kill)
	_, err := d.Deploy(ctx, survey.Asked{Image: f.push("4444", behavior{})})
	require.ErrorIs(t, err, context.Canceled)
	d = f.deployer()
	todo, err := d.Leaving(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, todo, 2)
	require.Len(t, todo[0].Will, 4, "three containers, and the proxy")
	require.Contains(t, todo[0].Will[3], "remove the environment from the proxy")
	require.Contains(t, todo[1].Will[3], "port "+strconv.Itoa(int(f.hosts["b"].front.Port))+" becomes free")
	f.hosts["b"].gone.Store(true)
	require.ErrorContains(t, d.Remove(t.Context(), nil), "b: ")
	f.hosts["b"].gone.Store(false)
	require.NoError(t, d.Remove(t.Context(), nil))
	for name, h := range f.hosts {
		labeled, err := h.client.Containers(t.Context(), survey.LabelEnvironment+"=staging")
		require.NoError(t, err)
		require.Empty(t, labeled, name)
		volumes, err := filepath.Glob(filepath.Join(h.engine.Volume("*"), "KEY"))
		require.NoError(t, err)
		require.Len(t, volumes, map[string]int{"a": 1, "b": 0}[name], "secrets of the other one alone")
		audit, err := h.state.AuditLog(t.Context(), "app.staging", 100)
		require.NoError(t, err)
		require.Equal(t, "remove the environment", audit[len(audit)-1].What)
		require.Contains(t, audit[0].What, "deploy ")
	}
	todo, err = d.Leaving(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, todo)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", f.hosts["b"].front.Port))
	require.NoError(t, err, "its port is free")
	require.NoError(t, l.Close())
	f.env = other
	require.Equal(t, three.Ref(), f.look()["a"].Running.Image)
	require.True(t, f.look()["a"].Running.Healthy)
	require.Empty(t, f.look()["a"].Drift)
	require.NoError(t, f.deployer().Remove(t.Context(), nil))
	_, err = h.client.Inspect(t.Context(), h.front.Name())
	require.ErrorIs(t, err, engine.NotFound)

	f.env = one
	f.env.Name, f.env.Domain = "renamed", ""
	require.NoError(t, f.deployer().Setup(t.Context(), nil))
	two := f.push("2222", behavior{})
	f.mustDeploy(two)
	require.Equal(t, two.Ref(), f.look()["b"].Running.Image)
}

// A watch ends only with a successful check: a release that is unhealthy at the end is not deployed.
func TestWatchEndsWithASuccessfulCheck(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.env.Watch = time.Second
	var since atomic.Int64
	_, err := f.deploy(f.push("2222", behavior{sick: func() bool {
		if !strings.Contains(f.upOf("a"), hash(localengine.Digest("2222"))) {
			return false
		}
		since.CompareAndSwap(0, time.Now().UnixNano())
		return time.Now().UnixNano()-since.Load() > int64(900*time.Millisecond)
	}}))
	require.ErrorContains(t, err, "the new container was no longer healthy after the switch")
	f.runs(one, "a")
}

// If the proxy image is specified by tag, the plan shows the digest that the hosts have, and how to pin it.
func TestPlanShowsTheProxysDigest(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	p, err := f.deployer().Plan(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err)
	require.Empty(t, p.Notes, "a digest is pinned")
	h := f.hosts["a"]
	tagged := localproxy.Image("registry.example.org/caddy:2.11")

	h.engine.Offer(tagged)
	h.front.Image = tagged.Ref
	require.NoError(t, f.deployer().Setup(t.Context(), nil))
	p, err = f.deployer().Plan(t.Context(), survey.Asked{Image: one})
	require.NoError(t, err)
	digest := "registry.example.org/caddy@" + localengine.Digest("index of "+localengine.Digest("config of "+tagged.Ref))
	require.Equal(t, []string{"the proxy's image registry.example.org/caddy:2.11 is a tag; the hosts have " + digest + "; to pin the image, set `proxy = \"" + digest + "\"` in the environment's table"}, p.Notes)
}

// The same machine under two names is rejected.
func TestMachineWithTwoNames(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	f.hosts["alias"], f.env.Hosts = f.hosts["a"], []string{"a", "alias"}
	_, err := f.deploy(f.push("2222", behavior{}))
	require.Contains(t, operr.DetailOf(err), "alias: this host is the same machine as a")
	f.env.Hosts = []string{"a"}
	f.runs(one, "a")
}

// A deployment does not touch the containers behind the environment's former port, and status lists them.
func TestContainersBehindAFormerPort(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one := f.push("1111", behavior{})
	f.mustDeploy(one)
	h, before := f.hosts["a"], *f.hosts["a"].front
	now := before
	now.Port = proxytest.Port(t)
	h.front, h.state = &now, now.Proxy().State
	require.NoError(t, f.deployer().Setup(t.Context(), nil))
	f.env.StopFirst, f.env.Gate = true, 300*time.Millisecond
	_, err := f.deploy(f.push("2222", behavior{sick: func() bool { return true }}))
	require.ErrorContains(t, err, "every host runs what it ran before")
	f.mustDeploy(f.push("3333", behavior{}))
	_, body := (&vm{front: &before}).get("/healthz")
	require.Contains(t, body, "1111")
	require.Contains(t, strings.Join(f.look()["a"].Drift, "\n"), fmt.Sprintf("belongs to port %d, which the environment used earlier", before.Port))
}

// If another clone deploys the same image, it removes the leftovers of a killed deployment. The running container is not touched, no secret is
// requested, and the plan contains one host with only a cleanup next to one that gets the release.
func TestLeftoversOfAKilledDeployment(t *testing.T) {
	t.Parallel()
	for step, says := range map[string]string{
		stepStop:  "which a deployment has left running",
		stepPrune: "which a deployment left behind",
	} {
		f := startFleet(t, "a", "b")
		f.env.Keep, f.env.Hosts = 2, []string{"a"}
		one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
		f.mustDeploy(one)
		f.mustDeploy(two)
		f.killed(three, step)
		require.NoError(t, f.deployer().Unlock(t.Context()))
		all, some, err := f.deployer().Runs(t.Context(), three)
		require.NoError(t, err)
		require.Equal(t, []bool{false, true}, []bool{all, some}, "a delivery has something to do there")

		f.state, f.env.Hosts = t.TempDir(), []string{"a", "b"} // b is a new host
		d := f.deployer()
		running := f.look()["a"].Running.Since
		p, err := d.Deploy(t.Context(), survey.Asked{Image: three})
		require.NoError(t, err, f.heard())
		require.True(t, p.Hosts[0].Tidy)
		require.Contains(t, strings.Join(p.Hosts[0].Changes, "\n"), says)
		require.Contains(t, p.Hosts[1].Changes[0], "first deployment")
		f.runs(three, "a", "b")
		require.Equal(t, running, f.look()["a"].Running.Since, "it is not started anew")
		require.Len(t, f.look()["a"].Containers, 2)
		audit := f.look()["a"].Audit
		require.Equal(t, "put away what was left beside "+three.Ref(), audit[len(audit)-1].What)
		nothing, err := f.deploy(three)
		require.NoError(t, err)
		require.Nil(t, nothing)
	}
}

// A failed cleanup is not a failed release: nothing is reverted, and the next run tries again.
func TestFailedCleanup(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	f.env.Secrets = []config.Secret{{Name: "KEY", Command: []string{"show"}}}
	one, two := f.push("1111", behavior{}), f.push("2222", behavior{})
	f.mustDeploy(one)
	f.killed(two, stepStop)
	f.state = t.TempDir()
	_, err := f.deploy(two)
	require.ErrorContains(t, err, "op on desk", "whoever may still be at it has the lock")
	require.NoError(t, f.deployer().Unlock(t.Context()))
	f.hosts["a"].engine.Fail(func(r localengine.Request) localengine.Fault {
		if strings.Contains(r.Path, "/stop") {
			return localengine.Broken
		}
		return localengine.None
	})
	d := f.deployer()
	d.Output = func(context.Context, []string) ([]byte, error) { return nil, errors.New("nothing is started") }
	_, err = d.Deploy(t.Context(), survey.Asked{Image: two})
	require.ErrorContains(t, err, "stop: a: ")
	require.NotContains(t, err.Error(), "every host runs what it ran before")
	require.Equal(t, two.Ref(), f.look()["a"].Running.Image)
	f.hosts["a"].engine.Fail(nil)
	f.mustDeploy(two)
	f.runs(two, "a")
}

// A rollback after a killed deployment goes to the release that ran before it, and no further, from the same clone or another one.
func TestRollbackOfAKilledDeployment(t *testing.T) {
	t.Parallel()
	for _, clone := range []string{"same", "another"} {
		f := startFleet(t, "a", "b")
		one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
		f.mustDeploy(one)
		f.mustDeploy(two)
		ctx, kill := context.WithCancel(t.Context())
		d := f.deployer()
		d.Times.Lease = time.Second
		d.Reporter = before(stepWatch, kill)
		_, err := d.Deploy(ctx, survey.Asked{Image: three})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, three.Ref(), f.look()["a"].Running.Image)
		d = f.deployer()
		if clone == "another" {
			d.State, d.Wait = t.TempDir(), time.Minute
		}
		_, err = d.Deploy(t.Context(), survey.Asked{Back: true})
		require.NoError(t, err, clone)
		f.runs(two, "a", "b")
		require.Equal(t, one.Ref(), f.look()["a"].Kept.Previous.Image, clone)
	}
}

// A deployment is killed at each of its steps, and another clone rolls the host back. If requests already went to the new image, the host returns
// to the image before it. Otherwise, it returns to the release before the running one. A killed rollback is completed.
func TestARollbackFromAnotherCloneAtEachStep(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	var images []survey.Image
	deploy := func() { // deploys a different image each time
		image := f.push(strconv.Itoa(1000+len(images)), behavior{})
		f.mustDeploy(image)
		images = append(images, image)
	}
	deploy()
	deploy()
	killed := func(asked survey.Asked, step string) {
		ctx, kill := context.WithCancel(t.Context())
		d := f.deployer()
		d.Reporter = before(step, kill)
		_, err := d.Deploy(ctx, asked)
		require.ErrorIs(t, err, context.Canceled, step)
		require.NoError(t, f.deployer().Unlock(t.Context()))
		f.state = t.TempDir()
		_, err = f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
		require.NoError(t, err, step)
	}
	switched := false
	for _, step := range []string{stepStart, stepGate, StepSwitch, stepWatch, stepRemember, stepStop, stepPrune, stepUnlock} {
		killed(survey.Asked{Image: f.push("of "+step, behavior{})}, step)
		if switched = switched || step == stepWatch; !switched {
			images = images[:len(images)-1]
		}
		f.runs(images[len(images)-1], "a")
		if len(images) < 2 {
			deploy()
		}
	}
	deploy()
	deploy()
	for _, step := range []string{stepGate, stepWatch, stepRemember} {
		killed(survey.Asked{Back: true}, step)
		images = images[:len(images)-1]
		f.runs(images[len(images)-1], "a")
		deploy()
	}
}

// A user who interrupts a deployment and rolls back wants the release that ran before it, not the one before that. An image that never got requests
// is not a release.
func TestRollbackOfAnUnfinishedDeployment(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a")
	one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
	f.mustDeploy(one)
	f.mustDeploy(two)
	stopped := func(step string) {
		ctx, stop := context.WithCancel(t.Context())
		d := f.deployer()
		d.Reporter = before(step, stop)
		_, err := d.Deploy(ctx, survey.Asked{Image: three})
		require.ErrorIs(t, err, context.Canceled)
	}
	back := func(want survey.Image) {
		_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
		require.NoError(t, err)
		f.runs(want, "a")
	}
	stopped(stepWatch)
	back(two)
	stopped(stepStart)
	back(one)
}

// Once every host has recorded a release, the deployment can only be completed, because old releases may have been pruned. This holds for
// deployments that fail, were killed, or were overtaken.
func TestRecordedReleaseIsNotReverted(t *testing.T) {
	t.Parallel()
	f := startFleet(t, "a", "b")
	one, two, three := f.push("1111", behavior{}), f.push("2222", behavior{}), f.push("3333", behavior{})
	for _, image := range []survey.Image{one, two, three} {
		f.mustDeploy(image)
	}
	removes := func(r localengine.Request) bool {
		return r.Method == http.MethodDelete && strings.HasPrefix(r.Path, "/containers/")
	}
	f.hosts["b"].engine.Fail(func(r localengine.Request) localengine.Fault {
		if removes(r) {
			return localengine.FullDisk
		}
		return localengine.None
	})
	_, err := f.deployer().Deploy(t.Context(), survey.Asked{Back: true})
	require.ErrorContains(t, err, "staging/back is deployed on every host, but not all remains of earlier releases were removed: prune: b: ")
	require.Equal(t, two.Ref(), f.look()["a"].Running.Image)
	require.Equal(t, two.Ref(), f.look()["b"].Running.Image, "the one after it is removed on the other host")
	f.hosts["b"].engine.Fail(func(localengine.Request) localengine.Fault { return localengine.None })
	nothing, err := f.deploy(two)
	require.NoError(t, err)
	require.Nil(t, nothing)
	require.Contains(t, f.heard(), "the remaining steps of the deployment are done first")
	f.runs(two, "a", "b")
	f.mustDeploy(three)

	killed := func(step string) *Deployer {
		ctx, kill := context.WithCancel(t.Context())
		d := f.deployer()
		d.Reporter = before(step, kill)
		_, err = d.Deploy(ctx, survey.Asked{Back: true})
		require.ErrorIs(t, err, context.Canceled)
		return d
	}
	killed(stepUnlock)
	f.mustDeploy(three)
	f.runs(three, "a", "b")
	killed(stepUnlock)
	require.NoError(t, f.deployer().Unlock(t.Context()))
	mine := f.state
	f.state = t.TempDir()
	_, err = f.deployer().Deploy(t.Context(), survey.Asked{Image: one, Without: []string{"b"}})
	require.NoError(t, err)
	f.state = mine
	f.mustDeploy(one)
	require.Contains(t, f.heard(), "b keeps app-staging-"+hash(two.Digest))
	f.runs(one, "a", "b")

	f.env.Keep = 2
	d := killed(stepUnlock)
	_, err = d.operation(survey.Asked{Back: true}).Undo(t.Context())
	require.NoError(t, err)
	for _, h := range f.look() {
		for _, v := range h.Kept.Older {
			require.NotNil(t, h.Of(v.ID), "it is remembered, and was removed")
		}
	}
}
