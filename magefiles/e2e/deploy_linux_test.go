package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	randomly "github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/engine/dockerdtest"
	"github.com/foopack/foopack/magefiles/internal/host/hosttest"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/localproxy"
	"github.com/foopack/foopack/magefiles/internal/localregistry"
)

// `mage fleet` raises -deploykills to kill more deployments.
var (
	deployKills = flag.Int("deploykills", 8, "how often a deployment is killed at a random moment")
	deploySeed  = flag.Uint64("deployseed", 0, "seed of the random moments; 0 takes one of the clock")
)

// deploying is a repository with an application, and hosts that are simulated in this process. The compiled program connects to the hosts by OpenSSH.
type deploying struct {
	t        *testing.T
	root     string
	env      []string
	registry string
	names    []string
	engines  []*localengine.Engine
	port     int
	proxy    string
	requests atomic.Int64 // number of requests that the engines received
	latency  atomic.Int64 // delay of each request, in nanoseconds
	moment   atomic.Int64 // number of requests after which the program is killed; 0 means never
	kill     atomic.Pointer[os.Process]
}

// startDeploying makes the repository and starts its hosts.
func startDeploying(t *testing.T, hosts, port int) *deploying {
	t.Helper()
	w := &deploying{t: t, root: filepath.Join(t.TempDir(), "repo"), port: port, proxy: "registry.example.org/caddy@" + localengine.Digest("proxy")}
	server, err := localregistry.Start(t.TempDir(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	w.registry = server.Host
	machines := map[string]*hosttest.Server{}
	for n := range hosts {
		e, err := localengine.Start(t.TempDir())
		require.NoError(t, err)
		t.Cleanup(func() { _ = e.Close() })
		e.Address = netip.AddrFrom4([4]byte{127, 0, 1, byte(n + 1)})
		e.Offer(localproxy.Image(w.proxy))
		e.Fail(func(localengine.Request) localengine.Fault {
			time.Sleep(time.Duration(w.latency.Load()))
			if n, at := w.requests.Add(1), w.moment.Load(); at > 0 && n >= at {
				if p := w.kill.Load(); p != nil {
					_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
				}
			}
			return localengine.None
		})
		name := fmt.Sprintf("vm%d", n+1)
		w.names, w.engines = append(w.names, name), append(w.engines, e)
		machines[name] = hosttest.Start(t, e.Socket)
	}
	config := hosttest.Config(t, machines)
	deployedRepo(t, w.root, w.registry+"/team", fmt.Sprintf("hosts = [\"%s\"]\nport = %d\napp_port = 5006\nrevision = \"json:revision\"\ngate = \"5s\"\nwatch = \"1s\"\ndrain = \"1s\"\n"+
		"proxy = %q\nssh_config = %q\nsecrets.TOKEN = \"TOKEN\"\n", strings.Join(w.names, `", "`), port, w.proxy, config))
	w.env = append(os.Environ(), "HOME="+t.TempDir(), "TOKEN=a-secret-value-of-some-length", "PATH="+compiled+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL="+os.DevNull)
	return w
}

// push adds an image to the registry and registers its behavior with all engines.
func (w *deploying) push(revision string, sick bool) (digest string) {
	w.t.Helper()
	image, err := randomly.Image(10, 1)
	require.NoError(w.t, err)
	image, err = mutate.ConfigFile(image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{Labels: labelsOf(revision)}})
	require.NoError(w.t, err)
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}})
	index = dockerdtest.Attest(w.t, index, image)
	hash, err := index.Digest()
	require.NoError(w.t, err)
	ref, err := name.NewDigest(w.registry + "/team/app@" + hash.String())
	require.NoError(w.t, err)
	require.NoError(w.t, remote.WriteIndex(ref, index))
	for _, e := range w.engines {
		e.Offer(localengine.Image{
			Ref:    ref.String(),
			Labels: map[string]string{"org.opencontainers.image.revision": revision},
			Ports:  []uint16{5006},
			Program: func(ctx context.Context, c *localengine.Container) int {
				l, err := c.Listen(5006)
				if err != nil {
					return 1
				}
				s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if sick {
						http.Error(w, "not well", http.StatusServiceUnavailable)
						return
					}
					fmt.Fprintf(w, "{\"revision\": %q}", revision)
				})}
				go func() { _ = s.Serve(l) }()
				<-ctx.Done()
				_ = s.Close()
				return 0
			},
		})
	}
	return hash.String()
}

// mage runs the compiled program in its own process group.
func (w *deploying) mage(args ...string) (out string, state *os.ProcessState) {
	w.t.Helper()
	x := exec.Command(filepath.Join(compiled, "targets"), args...)
	x.Dir, x.Env = w.root, w.env
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var said bytes.Buffer
	x.Stdout, x.Stderr = &said, &said
	require.NoError(w.t, x.Start())
	w.kill.Store(x.Process)
	_ = x.Wait()
	w.kill.Store(nil)
	return said.String(), x.ProcessState
}

// terminal returns a command that runs the program at a terminal.
func (w *deploying) terminal(args ...string) *exec.Cmd {
	x := exec.Command(filepath.Join(compiled, "targets"), args...)
	x.Dir, x.Env = w.root, command.Unset(w.env, "CI")
	return x
}

func (w *deploying) must(args ...string) string {
	w.t.Helper()
	out, state := w.mage(args...)
	require.True(w.t, state.Success(), "%v: %s", args, out)
	return out
}

// peak returns the program's peak memory in kB. The resource usage that wait returns is unsuitable: a child process starts as a copy of the test
// process, so its peak includes the tests' memory.
func (w *deploying) peak(over <-chan struct{}) (most int) {
	for {
		if p := w.kill.Load(); p != nil {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid)) // fails if the process has ended
			for line := range strings.Lines(string(status)) {
				if text, ok := strings.CutPrefix(line, "VmHWM:"); ok {
					kB, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(text), " kB"))
					most = max(most, kB)
				}
			}
		}
		select {
		case <-over:
			return most
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// `runs` returns the release that each host reports on its published port.
func (w *deploying) runs() (revisions []string) {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, e := range w.engines {
		r, err := c.Get(fmt.Sprintf("http://%s:%d/healthz", e.Address, w.port))
		if err != nil {
			revisions = append(revisions, err.Error())
			continue
		}
		var answer struct{ Revision string }
		_ = json.NewDecoder(r.Body).Decode(&answer)
		_ = r.Body.Close()
		revisions = append(revisions, answer.Revision)
	}
	return revisions
}

func TestDeployments(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 2, 18180)
	one, two := w.push("1111", false), w.push("2222", false)
	out, state := w.mage("deploy:status")
	require.Equal(t, 1, state.ExitCode(), out)
	require.Regexp(t, `(?s)vm2 +not set up.*Error: 2 hosts with trouble: vm1 of staging, vm2 of staging`, out)
	out, state = w.mage("deploy:plan", "-digest="+one)
	require.Equal(t, 1, state.ExitCode(), out)
	require.Regexp(t, `(?s)socket +/var/run/docker\.sock.*✗ vm2: the host is not set up.*cannot be deployed now`, out)
	require.Contains(t, w.must("deploy:setup", "-yes"), "vm1")
	require.Contains(t, w.must("deploy:status", "-unlock", "-yes", "-json"), `"environments": [`)
	w.must("deploy:to", "staging", "-digest="+one, "-yes")
	require.Equal(t, []string{"1111", "1111"}, w.runs())
	require.Contains(t, w.must("deploy:plan", "-digest="+two), "2222")

	asked, state := w.mage("deploy:to", "staging", "-digest="+two)
	require.Equal(t, 3, state.ExitCode(), asked)
	label := regexp.MustCompile(`Deploy .* to 2 hosts\?`).FindString(asked)
	asks(t, 0, map[string]question{
		"to, no":         {[]string{"deploy:to", "staging", "-digest=" + two}, label + " [y/N] ", "n\n", "n", 3, no},
		"to, Ctrl-C":     {[]string{"deploy:to", "staging", "-digest=" + two}, label + " [y/N] ", "\x03", "^C", 130, interrupted},
		"unlock, no":     {[]string{"deploy:status", "-unlock", "-env=staging"}, "Take the lock of staging away? [y/N] ", "n\n", "n", 3, no},
		"unlock, Ctrl-C": {[]string{"deploy:status", "-unlock", "-env=staging"}, "Take the lock of staging away? [y/N] ", "\x03", "^C", 130, interrupted},
		"remove, no":     {[]string{"deploy:remove", "-env=staging"}, "Take staging away from 2 hosts? [y/N] ", "n\n", "n", 3, no},
		"remove, Ctrl-C": {[]string{"deploy:remove", "-env=staging"}, "Take staging away from 2 hosts? [y/N] ", "\x03", "^C", 130, interrupted},
	}, w.terminal)
	require.Equal(t, []string{"1111", "1111"}, w.runs())

	out, state = w.mage("deploy:to", "staging", "-digest="+w.push("3333", true), "-yes")
	require.Equal(t, 1, state.ExitCode(), out)
	require.Contains(t, out, "every host runs what it ran before")
	require.Equal(t, []string{"1111", "1111"}, w.runs())

	w.must("deploy:to", "staging", "-digest="+two, "-yes")
	asks(t, 0, map[string]question{
		"rollback, no":     {[]string{"deploy:rollback"}, "Go back on 2 hosts? [y/N] ", "n\n", "n", 3, no},
		"rollback, Ctrl-C": {[]string{"deploy:rollback", "-env=staging"}, "Go back on 2 hosts? [y/N] ", "\x03", "^C", 130, interrupted},
	}, w.terminal)
	require.Equal(t, []string{"2222", "2222"}, w.runs())
	require.Contains(t, w.must("deploy:rollback", "-yes"), "staging went back on 2 hosts")
	require.Equal(t, []string{"1111", "1111"}, w.runs())
	require.Contains(t, w.must("deploy:status"), "1111")

	journals, err := exec.Command("grep", "-rl", "a-secret-value-of-some-length", w.root).CombinedOutput()
	require.Error(t, err, "the secret is in %s", journals)
	for _, e := range w.engines {
		for _, r := range e.Requests() {
			if strings.HasSuffix(r.Path, "#stdin") {
				continue // the secret must be here and nowhere else
			}
			require.NotContains(t, r.Path+r.Body+fmt.Sprint(r.Header), "a-secret-value", r.Path)
		}
	}
}

// The program is killed at many different moments of a deployment, and the next run completes the deployment. Half of the time that run is in another
// clone, which has no record of the deployment and cannot continue until the lock is freed.
func TestDeploymentsKilledAtRandom(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 2, 18181)
	digests := []string{w.push("1111", false), w.push("2222", false)}
	w.must("deploy:setup", "-yes")
	w.must("deploy:to", "staging", "-digest="+digests[0], "-yes")
	began := w.requests.Load()
	w.must("deploy:to", "staging", "-digest="+digests[1], "-yes")
	whole := w.requests.Load() - began
	seed := *deploySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-deployseed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	first := w.root
	for n := range *deployKills {
		now := n % 2 // the application to deploy next; the other one is running
		w.moment.Store(w.requests.Load() + 1 + random.Int64N(whole*9/10))
		out, state := w.mage("deploy:to", "staging", "-digest="+digests[now], "-yes")
		w.moment.Store(0)
		require.False(t, state.Success(), out)
		for host, revision := range w.runs() {
			require.Contains(t, []string{"1111", "2222"}, revision, "%s answers all the time", w.names[host])
		}
		if n/2%2 == 1 {
			w.root = filepath.Join(t.TempDir(), "repo")
			git(t, first, "clone", "-q", first, w.root)
			w.must("deploy:status", "-unlock", "-yes")
		}
		out = w.must("deploy:to", "staging", "-digest="+digests[now], "-yes", "-wait=3m")
		want := []string{"1111", "2222"}[now]
		require.Equal(t, []string{want, want}, w.runs(), out)
		require.NotContains(t, w.must("deploy:status", "-json"), `"holder"`, "the lock was released")
	}
}

// Even with fifty hosts, which run in the test process, the program needs little memory. It queries all hosts concurrently.
func TestDeploymentsToManyHosts(t *testing.T) {
	t.Parallel()
	w := startDeploying(t, 50, 18182)
	one := w.push("1111", false)
	w.must("deploy:setup", "-yes")
	over := make(chan struct{})
	peak := make(chan int)
	go func() { peak <- w.peak(over) }()
	w.must("deploy:to", "staging", "-digest="+one, "-yes")
	close(over)
	most := <-peak
	t.Logf("%d kB", most)
	require.NotZero(t, most)
	require.Less(t, most, 100<<10, "kB")
	for _, revision := range w.runs() {
		require.Equal(t, "1111", revision)
	}
	began := time.Now()
	w.must("deploy:status")
	t.Logf("status of 50 hosts: %v", time.Since(began))
}
