package deploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/localproxy"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// fleet holds the hosts of a test. Each host has an engine, a proxy container, and a data folder.
type fleet struct {
	t     testing.TB
	hosts map[string]*vm
	env   config.Environment
	state string // folder for journals
	vars  map[string]string
	mu    sync.Mutex
	said  []string
}

// vm is one host of a fleet.
type vm struct {
	name   string
	engine *localengine.Engine
	client *engine.Client
	front  *proxy.Container
	state  *hoststate.State
	gone   atomic.Bool // all requests fail
}

const repository = "registry.example.org/team/app"

var proxyImage = "registry.example.org/caddy@" + localengine.Digest("proxy")

// startFleet starts hosts.
func startFleet(t testing.TB, names ...string) *fleet {
	return startFleetOf(t, "staging", "", names...)
}

// startFleetOf starts the hosts of an environment. `after` names the preceding environment, if any.
func startFleetOf(t testing.TB, environment, after string, names ...string) *fleet {
	f := &fleet{t: t, hosts: map[string]*vm{}, state: t.TempDir(), vars: map[string]string{}}
	f.env = config.Environment{
		Name:     environment,
		After:    after,
		Hosts:    names,
		Port:     8080,
		Health:   "/healthz",
		Revision: config.Revision{JSON: "revision"},
		Gate:     2 * time.Second,
		Watch:    60 * time.Millisecond,
		Drain:    100 * time.Millisecond,
		Grace:    100 * time.Millisecond,
		Keep:     3,
		Disk:     1,
		Logging:  config.Logging{Driver: "local"},
	}
	for _, name := range names {
		f.hosts[name] = f.boot(name)
	}
	require.NoError(t, f.deployer().Setup(t.Context(), nil))
	return f
}

func (f *fleet) boot(name string) *vm {
	dir, err := os.MkdirTemp("", "vm-") // t.TempDir() contains the test's name, which may have characters that the script rejects
	require.NoError(f.t, err)
	f.t.Cleanup(func() { os.RemoveAll(dir) })
	e, err := localengine.Start(dir)
	require.NoError(f.t, err)
	f.t.Cleanup(func() { e.Close() })
	h := &vm{name: name, engine: e}
	e.Fail(func(localengine.Request) localengine.Fault {
		if h.gone.Load() {
			return localengine.Unanswered
		}
		return localengine.None
	})
	e.Offer(localproxy.Image(proxyImage))
	h.client = engine.New(e.Dial)
	f.t.Cleanup(func() { h.client.Close() })
	h.front = &proxy.Container{Engine: h.client, Port: proxytest.Port(f.t), Address: netip.MustParseAddr("127.0.0.1"), Image: proxyImage}
	h.state = h.front.Proxy().State
	return h
}

// behavior configures a test application.
type behavior struct {
	sick    func() bool   // if it returns true, the health path returns status 503
	live    func() bool   // if set, the application's health path is /live instead of the default
	exits   time.Duration // the application exits with status 3 after this time; 0 means never
	dies    func() bool   // the application also exits once this is true
	says    string        // revision that it reports, instead of the real one
	logs    string
	arch    []string
	ends    string // the application exits immediately without this secret
	ails    string // the health check fails without this secret
	forHost string // the behavior applies only to this host
}

// push pushes an image to the registry that all hosts use.
func (f *fleet) push(revision string, b behavior) survey.Image {
	digest := localengine.Digest(revision)
	for _, h := range f.hosts {
		does := b
		if b.forHost != "" && b.forHost != h.name {
			does = behavior{}
		}
		h.engine.Offer(localengine.Image{
			Ref:     repository + "@" + digest,
			Arch:    b.arch,
			Labels:  map[string]string{"org.opencontainers.image.revision": revision},
			Ports:   []uint16{5006},
			Program: does.program(revision),
		})
	}
	platforms := []string{"linux/amd64"}
	if b.arch != nil {
		platforms = nil
		for _, arch := range b.arch {
			platforms = append(platforms, "linux/"+arch)
		}
	}
	return survey.Image{Repository: repository, Digest: digest, Revision: revision, Platforms: platforms}
}

func (b behavior) program(revision string) func(ctx context.Context, c *localengine.Container) int {
	if b.says != "" {
		revision = b.says
	}
	return func(ctx context.Context, c *localengine.Container) int {
		if b.logs != "" {
			fmt.Fprintln(c.Stdout, b.logs)
		}
		l, err := c.Listen(5006)
		if err != nil || !has(c, b.ends) {
			return 1
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
			if b.sick != nil && b.sick() || !has(c, b.ails) {
				http.Error(w, "not well", http.StatusServiceUnavailable)
				return
			}
			fmt.Fprintf(w, `{"revision": %q, "greeting": %q, "before": %q}`, revision, c.Getenv("GREETING"), c.Getenv("DEPLOYED_BEFORE"))
		})
		if b.live != nil {
			mux = http.NewServeMux()
			mux.HandleFunc("/live", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Version", revision)
				if !b.live() {
					http.Error(w, "not well", http.StatusServiceUnavailable)
				}
			})
		}
		mux.HandleFunc("/secret/", func(w http.ResponseWriter, r *http.Request) {
			text, err := os.ReadFile(c.Path("/run/secrets/" + strings.TrimPrefix(r.URL.Path, "/secret/")))
			if err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
			w.Write(text)
		})
		mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(10 * time.Second):
			}
		})
		s := &http.Server{Handler: mux}
		go s.Serve(l)
		defer s.Close()
		var over <-chan time.Time
		if b.exits > 0 {
			over = time.After(b.exits)
		}
		ticks := time.NewTicker(20 * time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-ctx.Done():
				return 0
			case <-ticks.C:
				if b.dies == nil || !b.dies() {
					continue
				}
			case <-over:
			}
			fmt.Fprintln(c.Stderr, "I end here")
			return 3
		}
	}
}

// `has` reports whether a container has a secret. It returns true for "".
func has(c *localengine.Container, secret string) bool {
	_, err := os.Stat(c.Path("/run/secrets/" + secret))
	return secret == "" || err == nil
}

// deployer returns a new deployer, as a new process would have.
func (f *fleet) deployer() *Deployer {
	return &Deployer{
		Fleet: survey.Fleet{
			App:         "app",
			Environment: f.env,
			Open:        f.open,
			Login:       func(context.Context, string) (engine.Login, error) { return engine.Login{}, nil },
			Variable: func(name string) (string, bool) {
				value, there := f.vars[name]
				return value, there
			},
			Now: time.Now,
		},
		Who:   hoststate.Holder{Who: "op", From: "desk"},
		Times: Times{Lease: 30 * time.Second, Poll: 10 * time.Millisecond, Watch: 15 * time.Millisecond, Answer: 10 * time.Second},
		State: f.state,
		Output: func(_ context.Context, argv []string) ([]byte, error) {
			return []byte(strings.Join(argv, "|") + "\n"), nil
		},
		Say: func(format string, args ...any) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.said = append(f.said, fmt.Sprintf(format, args...))
		},
	}
}

func (f *fleet) open(_ context.Context, host string) (*survey.Machine, error) {
	return survey.NewMachine(f.hosts[host].front), nil
}

// deploy deploys an image as a new process would.
func (f *fleet) deploy(image survey.Image) (*survey.Plan, error) {
	return f.deployer().Deploy(f.t.Context(), survey.Asked{Image: image})
}

func (f *fleet) mustDeploy(image survey.Image) *survey.Plan {
	f.t.Helper()
	p, err := f.deploy(image)
	require.NoError(f.t, err, f.heard())
	return p
}

// heard returns all messages that the deployers have printed.
func (f *fleet) heard() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.said, "\n")
}

// get sends a request to a host's published port.
func (h *vm) get(path string) (int, string) {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d%s", h.front.Port, path))
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// look queries the hosts, like the status command.
func (f *fleet) look() map[string]survey.Host {
	all := map[string]survey.Host{}
	for _, h := range f.deployer().Look(f.t.Context(), 5) {
		require.Empty(f.t, h.Trouble)
		all[h.Name] = h
	}
	return all
}

// `runs` checks that hosts run an image and are healthy, without other containers or drift. It checks both `up` and Config.Image of the running
// container.
func (f *fleet) runs(image survey.Image, hosts ...string) {
	f.t.Helper()
	all := f.look()
	for _, host := range hosts {
		h := all[host]
		require.NotNil(f.t, h.Running, "%s: %v", host, h.Drift)
		require.Equal(f.t, image.Ref(), h.Running.Image, host)
		require.True(f.t, h.Running.Healthy, host)
		require.Empty(f.t, h.Drift, host)
		require.Nil(f.t, h.Holder, host)
		running := 0
		for _, c := range h.Containers {
			if c.State == engine.Running {
				running++
				require.Equal(f.t, engine.UnlessStopped, c.Restart)
			}
		}
		require.Equal(f.t, 1, running, host)
		status, body := f.hosts[host].get("/healthz")
		require.Equal(f.t, http.StatusOK, status, body)
		require.Contains(f.t, body, image.Revision)
	}
}

// upOf returns the upstream that receives a host's requests.
func (f *fleet) upOf(host string) string {
	text, _ := os.ReadFile(filepath.Join(f.hosts[host].engine.Volume(f.hosts[host].front.Name()+"-state"), "env", f.deployer().Key(), "up"))
	return string(text)
}

// hash returns the part of a digest that is used in release names.
func hash(digest string) string { return strings.TrimPrefix(digest, "sha256:")[:8] }

// reporter calls f before a step.
type reporter struct {
	step string
	f    func()
}

// killed deploys an image in a run that is killed before the given step.
func (f *fleet) killed(image survey.Image, step string) {
	f.t.Helper()
	ctx, kill := context.WithCancel(f.t.Context())
	d := f.deployer()
	d.Reporter = before(step, kill)
	_, err := d.Deploy(ctx, survey.Asked{Image: image})
	require.ErrorIs(f.t, err, context.Canceled)
}

func before(step string, f func()) *reporter { return &reporter{step: step, f: f} }

func (r *reporter) Step(name string, f func() (string, error)) error {
	if name == r.step {
		r.f()
	}
	_, err := f()
	return err
}

func (*reporter) ShowSkipped(string, string) {}

// Hosts is a fleet for other packages' tests.
type Hosts struct{ f *fleet }

// StartHosts starts the hosts of an environment. `after` names the preceding environment, if any.
func StartHosts(t testing.TB, environment, after string, names ...string) *Hosts {
	return &Hosts{f: startFleetOf(t, environment, after, names...)}
}

// Deployer returns a deployer that stores its journals in the folder `state`, like a separate clone.
func (h *Hosts) Deployer(state string) *Deployer {
	d := h.f.deployer()
	d.State = state
	return d
}

// Engines returns the hosts' engines.
func (h *Hosts) Engines() (all []*localengine.Engine) {
	for _, one := range h.f.hosts {
		all = append(all, one.engine)
	}
	return all
}

// Push pushes an image to the hosts' registry.
func (h *Hosts) Push(revision string) survey.Image { return h.f.push(revision, behavior{}) }

// Runs checks that all hosts run an image in a healthy container, and no other container.
func (h *Hosts) Runs(image survey.Image) { h.f.t.Helper(); h.f.runs(image, h.f.env.Hosts...) }
