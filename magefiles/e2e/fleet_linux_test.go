package e2e_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/image"
)

// set by `mage fleet`
var (
	fleetToo      = flag.Bool("fleet", false, "deploy to real hosts with all that may go wrong, for an hour")
	fleetRequests = flag.Int64("fleetrequests", 16700, "how many requests of each of six kinds are sent over a deployment, a failed one and a rollback")
	fleetKills    = flag.Int("fleetkills", 50, "how often a deployment to real hosts is killed, and gone on with from another clone")
	fleetPhases   = flag.String("fleetphases", "preflight,lock,pull,note,start,gate,switch,watch and drain,remember,stop,prune", "the steps after which a host goes away")
	fleetTimes    = flag.Int("fleettimes", 10, "how often the time from the first good answer to the switch is taken")
)

// TestFleet deploys to real hosts and provokes many kinds of failure. It is run manually.
func TestFleet(t *testing.T) {
	if !*fleetToo {
		t.Skip("`go tool mage fleet` deploys to real hosts for an hour")
	}
	t.Run("status of twenty hosts", statusOfTwenty)
	t.Run("from a good answer to the switch", untilTheSwitch)
	t.Run("promoted to one host after the other", promotedGradually)
	w := startFleet(t, 2, 3000)
	w.must("deploy:setup", "-yes")
	now := w.push("begin")
	w.must(to(now)...)
	w.settled(now)
	for _, part := range []struct {
		name string
		do   func(w *fleet, now string) (then string)
	}{
		{"requests and sockets", (*fleet).manyRequests},
		{"what is not well", (*fleet).unwell},
		{"the registry goes away", (*fleet).registryGone},
		{"a disk is full", (*fleet).fullDisk},
		{"an engine starts again", (*fleet).engineAgain},
		{"a host goes away and comes back", (*fleet).hostAway},
		{"a host is away for a moment", (*fleet).hostBlinks},
		{"two operators at once", (*fleet).twoOperators},
		{"stopped past the lease", (*fleet).stoppedPastTheLease},
		{"a lock that was left behind", (*fleet).staleLock},
		{"killed, and gone on with from another clone", (*fleet).killed},
	} {
		passed := t.Run(part.name, func(t *testing.T) {
			began := time.Now()
			one := *w
			machines := *w.machines
			one.machines = &machines
			one.t = t
			now = part.do(&one, now)
			t.Logf("%v", time.Since(began).Round(time.Second))
		})
		if !passed { // the next part starts with this image running
			now = w.push("anew after " + part.name)
			w.must("deploy:status", "-unlock", "-yes")
			w.goesOn(now, nil)
		}
	}
	w.secretless()
}

// stands checks that after a failed deployment all hosts run the old image and are healthy, or that the error names the hosts that are not. If every
// host runs the new image and only the cleanup failed, the output must say so.
func (w *fleet) stands(out, old string) (others []string) {
	w.t.Helper()
	if strings.Contains(out, "is deployed on every host") {
		for n, name := range w.names {
			require.NotEqual(w.t, old, w.runs(n, fleetKey), name)
			require.Equal(w.t, w.runs(0, fleetKey), w.runs(n, fleetKey), name)
		}
		return w.names
	}
	for n, name := range w.names {
		if w.runs(n, fleetKey) == old {
			_, err := w.get(fresh(), n, "/healthz")
			require.NoError(w.t, err, name)
			continue
		}
		_, failure, _ := strings.Cut(out, "Error: ") // drop the plan, which names all hosts
		require.Contains(w.t, failure, name, "a host runs another image, but is not named")
		others = append(others, name)
	}
	return others
}

// goesOn deploys an image after a failure and checks that the deployment starts with the hosts that the error named.
func (w *fleet) goesOn(ref string, others []string) {
	w.t.Helper()
	out := w.must(to(ref, "-wait=4m")...)
	if len(others) > 0 {
		require.Contains(w.t, out, " has not ended", "the deployment to %v has not ended", others)
	}
	w.settled(ref)
}

func (w *fleet) manyRequests(now string) string {
	asked, sockets := w.ask(time.Millisecond), w.open(20)
	next := w.push("requests")
	began := time.Now()
	w.must(to(next)...)
	first := cut(sockets)
	if !first.IsZero() {
		require.GreaterOrEqual(w.t, first.Sub(began), w.drain)
	}
	w.t.Logf("deployed in %v under requests; the first of 20 sockets was cut after %v", time.Since(began).Round(time.Second/10), first.Sub(began).Round(time.Second/10))
	end(sockets)
	w.settled(next)

	sockets = w.open(20)
	w.fails(w.push("requests, and sick", "SICK=yes"), next)
	require.Zero(w.t, cut(sockets), "a deployment that failed at the gate cuts nothing")
	began = time.Now()
	w.must("deploy:rollback", "-yes")
	if first := cut(sockets); !first.IsZero() {
		require.GreaterOrEqual(w.t, first.Sub(began), w.drain)
	}
	end(sockets)
	w.settled(now)
	require.Eventually(w.t, func() bool { return asked.least() >= *fleetRequests }, time.Hour, time.Second)
	asked.end()
	return now
}

func (w *fleet) unwell(now string) string {
	for revision, env := range map[string]string{"never healthy": "SICK=yes", "exits at once": "DIES=1ms", "says another one": "SAYS=other", "dies at the gate": "DIES=900ms"} {
		out := w.fails(w.push(revision, env), now)
		w.t.Logf("%s: %s", revision, last(out))
	}
	visited := w.visit("/")
	out := w.fails(w.push("dies in the watch", "DIES=page"), now)
	visited()
	w.t.Logf("dies in the watch: %s", last(out))

	out, status := w.mage(to(w.registry.Push(w.t, "team/app", "arm64", "", w.image("arm", "arm64")))...)
	require.Equal(w.t, 1, status, out)
	require.Contains(w.t, out, "the image does not fit the host's platform: expected linux/amd64")
	require.Empty(w.t, w.stands(out, now))
	wrong := *w
	wrong.program = []byte("\x7fELF\x02\x01\x01 of another machine")
	out = w.fails(wrong.push("says amd64"), now)
	w.t.Logf("a program of another machine: %s", last(out))
	return now
}

// `last` returns the last two lines of an output.
func last(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-2):], " ")
}

func (w *fleet) registryGone(now string) string {
	refused := w.push("no registry")
	w.registry.SetGone(true)
	out, status := w.mage(to(refused)...)
	require.Equal(w.t, 1, status, out)
	require.Empty(w.t, w.stands(out, now))
	w.registry.SetGone(false)

	next := w.push("registry gone after the pull")
	p := w.start(to(next)...)
	require.True(w.t, p.until("✓ pull"), p.said())
	w.registry.SetGone(true)
	out, status = p.end()
	require.Zero(w.t, status, out)
	w.settled(next)
	w.must("deploy:rollback", "-yes")
	w.settled(now)
	w.registry.SetGone(false)
	return now
}

// large pushes an image that is padded with random bytes.
func (w *fleet) large(revision string, megabytes int64) string {
	w.t.Helper()
	layer, err := random.Layer(megabytes<<20, types.DockerLayer)
	require.NoError(w.t, err)
	var image v1.Image
	image, err = mutate.AppendLayers(w.image(revision, "amd64"), layer)
	require.NoError(w.t, err)
	return w.registry.Push(w.t, "team/app", "amd64", revision, image)
}

func (w *fleet) fullDisk(now string) string {
	next := w.large("large", 60)
	fill := func(left int64) (empty func()) {
		empty = w.engine[1].Fill(left)
		w.t.Cleanup(empty)
		return empty
	}
	empty := fill(30 << 20)
	out, status := w.mage(to(next)...)
	w.t.Logf("full in the pull: %d, %s", status, last(out))
	require.NotZero(w.t, status, out)
	require.Empty(w.t, w.stands(out, now))
	empty()
	empty = fill(0)
	out, status = w.mage(to(next)...)
	w.t.Logf("full before: %d, %s", status, last(out))
	require.NotZero(w.t, status, out)
	require.Empty(w.t, w.stands(out, now))
	out, status = w.mage("deploy:status")
	require.Zero(w.t, status, out)
	empty()
	w.goesOn(next, nil)
	for _, after := range []string{"✓ pull", "✓ start", "✓ gate", "✓ switch"} {
		now, next = next, w.push("full after "+after)
		p := w.start(to(next)...)
		require.True(w.t, p.until(after), p.said())
		empty := fill(0)
		out, status := p.end()
		w.t.Logf("full after %s: %d, %s", after, status, last(out))
		if status != 0 {
			others := w.stands(out, now)
			empty()
			w.goesOn(next, others)
			continue
		}
		empty()
		w.settled(next)
	}
	return next
}

func (w *fleet) engineAgain(now string) string {
	w.engine[0].Stop()
	w.engine[0].Run()
	require.Eventually(w.t, func() bool {
		secret, err := w.get(fresh(), 0, "/secret/TOKEN")
		return err == nil && secret == fleetSecret
	}, 2*time.Minute, 100*time.Millisecond)
	w.settled(now)
	for _, after := range []string{"✓ lock", "✓ start", "✓ gate", "✓ switch", "✓ stop"} {
		next := w.push("engine again after " + after)
		p := w.start(to(next)...)
		require.True(w.t, p.until(after), p.said())
		w.engine[1].Stop()
		w.engine[1].Run()
		out, status := p.end()
		w.t.Logf("again after %s: %d, %s", after, status, last(out))
		require.Eventually(w.t, func() bool { _, err := w.get(fresh(), 1, "/healthz"); return err == nil }, 2*time.Minute, 100*time.Millisecond)
		if status != 0 {
			w.goesOn(next, w.stands(out, now))
		} else {
			w.settled(next)
		}
		now = next
	}
	return now
}

func (w *fleet) hostAway(now string) string {
	for _, after := range strings.Split(*fleetPhases, ",") {
		next := w.push("host away after " + after)
		p := w.start(to(next)...)
		require.True(w.t, p.until("✓ "+after), p.said())
		w.sshd[1].Stop()
		out, status := p.end()
		w.t.Logf("away after %s: %d, %s", after, status, last(out))
		for n := range w.names {
			_, err := w.get(fresh(), n, "/healthz")
			require.NoError(w.t, err, "the application answers all the time")
		}
		var others []string
		if status != 0 {
			others = w.stands(out, now)
		}
		w.sshd[1].Run()
		w.goesOn(next, others)
		now = next
	}
	return now
}

func (w *fleet) hostBlinks(now string) string {
	for _, after := range strings.Split(*fleetPhases, ",") {
		next := w.push("host away for a moment after " + after)
		p := w.start(to(next)...)
		require.True(w.t, p.until("✓ "+after), p.said())
		w.sshd[1].Stop()
		time.Sleep(700 * time.Millisecond)
		w.sshd[1].Run()
		out, status := p.end()
		w.t.Logf("away for a moment after %s: %d, %s", after, status, last(out))
		var others []string
		if status != 0 {
			others = w.stands(out, now)
		}
		w.goesOn(next, others)
		now = next
	}
	return now
}

func (w *fleet) twoOperators(now string) string {
	other := w.elsewhere()
	for n, more := range [][]string{nil, {"-wait=3m"}} {
		refs := []string{w.push(fmt.Sprint("mine ", n)), w.push(fmt.Sprint("yours ", n))}
		a, b := w.start(to(refs[0], more...)...), other.start(to(refs[1], more...)...)
		first, one := a.end()
		second, two := b.end()
		w.t.Logf("%v: %d, %s; %d, %s", more, one, last(first), two, last(second))
		require.True(w.t, one == 0 || two == 0, "%s\n%s", first, second)
		now = w.runs(0, fleetKey)
		require.Contains(w.t, refs, now)
		w.settled(now)
		other.settled(now)
	}
	return now
}

func (w *fleet) stoppedPastTheLease(string) (then string) {
	other := w.elsewhere()
	for _, after := range []string{"start", "switch"} {
		mine, yours := w.push("stopped after "+after), w.push("meanwhile after "+after)
		p := w.start(to(mine)...)
		require.True(w.t, p.until("✓ "+after), p.said())
		p.signal(syscall.SIGSTOP)
		other.must(to(yours, "-wait=4m")...)
		other.settled(yours)
		p.signal(syscall.SIGCONT)
		out, status := p.end()
		w.t.Logf("stopped after %s: %d, %s", after, status, last(out))
		require.NotZero(w.t, status, out)
		w.settled(yours)
		then = yours
	}
	return then
}

func (w *fleet) staleLock(string) (then string) {
	other := w.elsewhere()
	mine, yours := w.push("left behind"), w.push("after it")
	p := w.start(to(mine)...)
	require.True(w.t, p.until("✓ lock"), p.said())
	p.signal(syscall.SIGKILL)
	p.end()
	out, status := other.mage(to(yours)...)
	require.Equal(w.t, 1, status, out)
	require.Contains(w.t, out, "the environment is locked")
	out = other.must(to(yours, "-wait=4m")...)
	w.t.Logf("%s", last(out))
	other.settled(yours)
	out, status = w.mage(to(mine)...)
	w.t.Logf("whoever comes back: %d, %s", status, last(out))
	if status != 0 {
		w.settled(yours)
		return yours
	}
	w.settled(mine)
	return mine
}

// killed kills deployments in one of two clones and continues in the other.
func (w *fleet) killed(string) string {
	both := []*fleet{w, w.elsewhere()}
	began := time.Now()
	next := w.push("not killed")
	w.must(to(next)...)
	whole := time.Since(began)
	seed := *deploySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	w.t.Logf("-deployseed=%d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	steps := map[string]int{}
	for n := range *fleetKills {
		now := next
		next = w.push(fmt.Sprint("killed ", n))
		mine, other := both[n%2], both[1-n%2]
		p := mine.start(to(next)...)
		select {
		case <-p.over:
		case <-time.After(time.Duration(dice.Int64N(int64(whole)))):
		}
		p.signal(syscall.SIGKILL)
		out, _ := p.end()
		at := "before anything"
		for line := range strings.Lines(out) {
			if name, ok := strings.CutPrefix(line, "✓ "); ok {
				at, _, _ = strings.Cut(name, "  ")
			}
		}
		steps[at]++
		w.t.Logf("%d: killed after %s", n, at)
		for host := range w.names {
			require.Contains(w.t, []string{now, next}, w.runs(host, fleetKey), "killed after %s", at)
			_, err := w.get(fresh(), host, "/healthz")
			require.NoError(w.t, err, "killed after %s", at)
		}
		other.must("deploy:status", "-unlock", "-yes")
		if strings.Contains(other.must(to(next)...), "run this image already") { // already recorded: the next deployment removes the leftovers
			next = w.push(fmt.Sprint("behind killed ", n))
			other.must(to(next)...)
		}
		other.settled(next)
	}
	w.t.Logf("killed after %v", steps)
	return next
}

// statusOfTwenty compares how long deploy:status takes for twenty hosts and for one host. It should take no longer than the slowest host.
func statusOfTwenty(t *testing.T) {
	took := map[int]time.Duration{}
	for n, hosts := range []int{1, 20} {
		w := startDeploying(t, hosts, 18190+n)
		one := w.push("1111", false)
		w.must("deploy:setup", "-yes")
		w.must("deploy:to", "staging", "-digest="+one, "-yes")
		w.latency.Store(int64(200 * time.Millisecond))
		for range 3 {
			began := time.Now()
			w.must("deploy:status")
			took[hosts] = cmp.Or(min(took[hosts], time.Since(began)), time.Since(began))
		}
	}
	t.Logf("one host: %v, twenty: %v", took[1], took[20])
	require.LessOrEqual(t, took[20], 2*took[1])
}

// untilTheSwitch measures the time from a new container's first healthy response to the switch, on one host.
func untilTheSwitch(t *testing.T) {
	w := startFleet(t, 1, 1500)
	w.must("deploy:setup", "-yes")
	client := engine.New(w.engine[0].Dial)
	defer client.Close()
	var all []time.Duration
	for n := range *fleetTimes {
		ref := w.push(fmt.Sprint(n))
		w.must(to(ref)...)
		up, err := os.Stat(filepath.Join(w.engine[0].Volume(fmt.Sprintf("pixi-release-proxy-%d-state", w.port)), "env", fleetKey, "up"))
		require.NoError(t, err)
		id, _, _ := strings.Cut(w.up(0, fleetKey), ":")
		var logs bytes.Buffer
		require.NoError(t, client.Logs(t.Context(), id, 10, false, &logs, &logs))
		_, said, found := strings.Cut(logs.String(), "healthy at ")
		require.True(t, found, logs.String())
		var at int64
		_, err = fmt.Sscan(said, &at)
		require.NoError(t, err)
		all = append(all, up.ModTime().Sub(time.Unix(0, at)))
	}
	slices.Sort(all)
	t.Logf("median %v of %v", all[len(all)/2], all)
}

// promotedGradually promotes the image that runs on one host of staging to three hosts of production, under load: first to a canary, then in two
// batches. One batch fails, and all hosts are rolled back.
func promotedGradually(t *testing.T) {
	w := startFleet(t, 4, 0)
	manifest := filepath.Join(w.root, "app", "pixi.toml")
	head, table, found := strings.Cut(readFile(t, manifest), "[tool.deploy.staging]\n")
	require.True(t, found)
	all := fmt.Sprintf("hosts = [\"%s\"]\n", strings.Join(w.names, `", "`))
	require.Contains(t, table, all)
	write(t, w.root, "app/pixi.toml", head+"[tool.deploy.staging]\n"+strings.Replace(table, all, "hosts = [\"vm1\"]\n", 1)+
		"[tool.deploy.production]\n"+strings.Replace(table, all, "hosts = [\"vm2\", \"vm3\", \"vm4\"]\n", 1)+
		"after = \"staging\"\ncanary = 1\nbatch = 1\npause = \"2s\"\n")
	production := func(ref string) {
		t.Helper()
		for n, name := range w.names[1:] {
			require.Equal(t, ref, w.runs(n+1, "app.production"), name)
		}
	}
	w.must("deploy:setup", "-env=staging", "-yes")
	w.must("deploy:setup", "-env=production", "-yes")
	one, two, three := w.push("1111"), w.push("2222"), w.push("3333", "WAITS=3s")
	w.must(to(one)...)
	w.must("deploy:to", "production", "-yes")
	production(one)

	asked, sockets := w.ask(time.Millisecond), w.open(20)
	began := time.Now()
	w.must(to(two)...)
	out := w.must("deploy:to", "production", "-yes")
	require.Contains(t, out, "switch 3 of 3")
	if first := cut(sockets); !first.IsZero() {
		require.GreaterOrEqual(t, first.Sub(began), w.drain)
	}
	end(sockets)
	production(two)
	t.Logf("staging, a canary and two batches: %v", time.Since(began).Round(time.Second/10))

	w.must(to(three)...)
	p := w.start("deploy:to", "production", "-yes")
	require.True(t, p.until("✓ start 2 of 3"), p.said())
	client := engine.New(w.engine[2].Dial)
	defer client.Close()
	containers, err := client.Containers(t.Context(), "pixi-release.release")
	require.NoError(t, err)
	stopped := 0
	for _, c := range containers {
		if c.Image == three {
			stopped++
			require.NoError(t, client.Stop(t.Context(), c.ID, 0))
		}
	}
	require.Equal(t, 1, stopped)
	out, status := p.end()
	require.Equal(t, 1, status, out)
	require.Contains(t, out, "every host runs what it ran before")
	production(two)
	w.must("deploy:rollback", "-env=production", "-yes")
	production(one)
	require.Equal(t, three, w.runs(0, fleetKey))
	require.Eventually(t, func() bool { return asked.least() >= *fleetRequests }, time.Hour, time.Second)
	asked.end()
	w.delivered()
}

// delivered delivers a downstream from its pins to production with one command, while another program builds the image. It compares the total time
// with the times of the individual parts.
func (w *fleet) delivered() {
	t := w.t
	manifest := filepath.Join(w.root, "app", "pixi.toml")
	write(t, w.root, "app/pixi.toml", strings.Replace(readFile(t, manifest), "[tool.image]\n", "[tool.image]\npublish = \"ci\"\n", 1))
	git(t, w.root, "config", "user.name", "a")
	git(t, w.root, "config", "user.email", "a@example.invalid")
	git(t, w.root, "commit", "-qam", "feat: environments")
	bare := filepath.Join(t.TempDir(), "origin.git")
	git(t, w.root, "clone", "-q", "--bare", w.root, bare)
	git(t, w.root, "remote", "add", "origin", bare)
	imagesByCI(t, bare, func(commit string) error { return w.registry.Tag(w.push(commit), image.RevisionTag(commit)) })
	took := func(args ...string) time.Duration {
		began := time.Now()
		w.must(args...)
		return time.Since(began).Round(time.Second / 10)
	}
	whole := took("deliver", "-to=1.3.0", "-yes")
	commit := strings.TrimSpace(git(t, w.root, "rev-parse", "HEAD"))
	require.Contains(t, readFile(t, manifest), `base-lib = "==1.3.0"`)
	for n := range w.names {
		said, err := w.get(fresh(), n, "/healthz")
		require.NoError(t, err)
		require.Contains(t, said, commit)
	}
	again := took("deliver", "-to=1.3.0", "-yes")
	staging := took(to(w.push("4444"))...)
	t.Logf("from pins to production: %v; a deployment to staging alone: %v, to production: %v; delivered once more: %v", whole, staging, took("deploy:to", "production", "-yes"), again)
}
