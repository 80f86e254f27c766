package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/hoststate/hoststatetest"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/proxy"
)

// errCut is a host that is not there any more.
var errCut = errors.New("the connection was cut")

// fleet are hosts of a test: an engine each, with a proxy's container and a folder for what the host keeps.
type fleet struct {
	t      *testing.T
	hosts  map[string]*vm
	env    config.Environment
	state  string // for journals
	vars   map[string]string
	budget atomic.Int64 // requests that are answered; negative: all

	mu   sync.Mutex
	said []string
	told [][]byte // all that scripts were sent, but for the inputs of secrets
}

// vm is one host.
type vm struct {
	name   string
	engine *localengine.Engine
	state  *hoststate.State
	proxy  *proxy.Proxy
	fleet  *fleet
	gone   atomic.Bool
}

const (
	proxyNetwork = "proxy-net"
	repository   = "registry.example.org/team/app"
	proxyImage   = "registry.example.org/caddy@"
)

// startFleet starts hosts.
func startFleet(t *testing.T, names ...string) *fleet {
	f := &fleet{t: t, hosts: map[string]*vm{}, state: t.TempDir(), vars: map[string]string{}}
	f.budget.Store(-1)
	f.env = config.Environment{
		Name:     "staging",
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
	return f
}

func (f *fleet) boot(name string) *vm {
	e, err := localengine.Start(f.t.TempDir())
	require.NoError(f.t, err)
	f.t.Cleanup(func() { e.Close() })
	h := &vm{name: name, engine: e, fleet: f}
	e.Fail(func(localengine.Request) localengine.Fault {
		if h.gone.Load() || !f.spend() {
			return localengine.Unanswered
		}
		return localengine.None
	})
	places := proxy.Places{Listen: free(f.t), Inside: free(f.t), Admin: free(f.t), Dir: f.t.TempDir()}
	h.state = &hoststate.State{Runner: h, Dir: places.Dir}
	h.proxy = &proxy.Proxy{State: h.state, Places: places}
	image := localengine.Image{Ref: proxyImage + localengine.Digest("proxy"), Program: serveProxy(places)}
	e.Offer(image)
	c := engine.New(e.Dial)
	defer c.Close()
	ctx := f.t.Context()
	require.NoError(f.t, c.Pull(ctx, image.Ref, engine.Login{}))
	require.NoError(f.t, c.EnsureNetwork(ctx, proxyNetwork, nil))
	id, err := c.Create(ctx, engine.Spec{Name: "proxy", Image: image.Ref, Network: proxyNetwork, Restart: engine.Always})
	require.NoError(f.t, err)
	require.NoError(f.t, c.Start(ctx, id))
	return h
}

func free(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// spend reports whether a request is answered.
func (f *fleet) spend() bool {
	for {
		left := f.budget.Load()
		switch {
		case left < 0:
			return true
		case left == 0:
			return false
		case f.budget.CompareAndSwap(left, left-1):
			return true
		}
	}
}

// Run is the script on the host.
func (h *vm) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	if h.gone.Load() || !h.fleet.spend() {
		return nil, 0, errCut
	}
	return hoststatetest.Local{}.Run(ctx, argv, stdin)
}

// serveProxy is a small proxy that reads the files of its state for each request.
func serveProxy(p proxy.Places) func(ctx context.Context, c *localengine.Container) int {
	return func(ctx context.Context, c *localengine.Container) int {
		var mu sync.Mutex
		open := map[string]int{}
		to := func(env, file string) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if env == "" { // the only one
					all, _ := filepath.Glob(filepath.Join(p.Dir, "env", "*", "up"))
					if len(all) == 0 {
						http.Error(w, "nothing", http.StatusNotFound)
						return
					}
					env = filepath.Base(filepath.Dir(all[0]))
				}
				text, _ := os.ReadFile(filepath.Join(p.Dir, "env", env, file))
				upstream := strings.TrimSpace(string(text))
				if upstream == "" || upstream == hoststate.None {
					http.Error(w, "there is no release yet", http.StatusServiceUnavailable)
					return
				}
				mu.Lock()
				open[upstream]++
				mu.Unlock()
				defer func() {
					mu.Lock()
					open[upstream]--
					mu.Unlock()
				}()
				through := &httputil.ReverseProxy{
					Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", upstream },
					Transport: &http.Transport{DialContext: c.Dial, DisableKeepAlives: true},
					ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
						http.Error(w, err.Error(), http.StatusBadGateway)
					},
				}
				through.ServeHTTP(w, r)
			})
		}
		inside := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 3)
			if len(parts) != 3 || parts[1] != "next" {
				http.NotFound(w, r)
				return
			}
			r.URL.Path = "/" + parts[2]
			to(parts[0], "next").ServeHTTP(w, r)
		})
		admin := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			all := []map[string]any{}
			for upstream, n := range open {
				all = append(all, map[string]any{"address": upstream, "num_requests": n})
			}
			_ = json.NewEncoder(w).Encode(all)
		})
		for addr, handler := range map[string]http.Handler{p.Listen: to("", "up"), p.Inside: inside, p.Admin: admin} {
			l, err := net.Listen("tcp", addr)
			if err != nil {
				return 1
			}
			s := &http.Server{Handler: handler}
			go s.Serve(l)
			defer s.Close()
		}
		<-ctx.Done()
		return 0
	}
}

// build is an image of the application. What it does is its behavior.
type behavior struct {
	sick    func() bool   // the health path says that it is not well
	exits   time.Duration // after which it ends by itself, with status 3; 0: never
	says    string        // revision that it says in place of its own
	logs    string
	arch    []string
	forHost string // the behavior is that of this host alone
}

// push puts an image into the registry that all hosts pull from.
func (f *fleet) push(revision string, b behavior) Image {
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
	return Image{Repository: repository, Digest: digest, Revision: revision, Platforms: platforms}
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
		if err != nil {
			return 1
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
			if b.sick != nil && b.sick() {
				http.Error(w, "not well", http.StatusServiceUnavailable)
				return
			}
			fmt.Fprintf(w, `{"revision": %q, "greeting": %q}`, revision, c.Getenv("GREETING"))
		})
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
		select {
		case <-ctx.Done():
			return 0
		case <-over:
			fmt.Fprintln(c.Stderr, "I end here")
			return 3
		}
	}
}

// deployer is one operator's, as each process has its own.
func (f *fleet) deployer() *Deployer {
	return &Deployer{
		App:         "app",
		Environment: f.env,
		Who:         hoststate.Holder{Who: "op", From: "desk"},
		Times:       Times{Lease: 30 * time.Second, Poll: 10 * time.Millisecond, Watch: 15 * time.Millisecond, Answer: 5 * time.Second},
		State:       f.state,
		Open:        f.open,
		Login:       func(context.Context, string) (engine.Login, error) { return engine.Login{}, nil },
		Variable: func(name string) (string, bool) {
			value, there := f.vars[name]
			return value, there
		},
		Output: func(_ context.Context, argv []string) ([]byte, error) { return []byte(strings.Join(argv, "|") + "\n"), nil },
		Say: func(format string, args ...any) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.said = append(f.said, fmt.Sprintf(format, args...))
		},
		Now: time.Now,
	}
}

func (f *fleet) open(_ context.Context, host string) (*Machine, error) {
	h := f.hosts[host]
	return &Machine{
		Engine:  engine.New(h.engine.Dial),
		State:   h.state,
		Proxy:   h.proxy,
		Network: proxyNetwork,
		Inside:  func(mounts ...engine.Mount) hoststate.Runner { return inVolumes{vm: h, mounts: mounts} },
		Ready:   func(context.Context) error { return nil },
	}, nil
}

// inVolumes runs the script where volumes are folders.
type inVolumes struct {
	*vm
	mounts []engine.Mount
}

func (i inVolumes) Run(ctx context.Context, argv []string, stdin []byte) ([]byte, int, error) {
	inside := append([]string{}, argv...)
	for n, arg := range inside {
		for _, m := range i.mounts {
			if arg == m.Target {
				inside[n] = i.engine.Volume(m.Volume)
				if err := os.MkdirAll(inside[n], 0o755); err != nil {
					return nil, 0, err
				}
			}
		}
	}
	return i.vm.Run(ctx, inside, stdin)
}

// deploy deploys, and returns what was said of it.
func (f *fleet) deploy(image Image) (*Plan, error) {
	return f.deployer().Deploy(f.t.Context(), Asked{Image: image})
}

func (f *fleet) mustDeploy(image Image) *Plan {
	f.t.Helper()
	p, err := f.deploy(image)
	require.NoError(f.t, err, f.heard())
	return p
}

// heard is all that was said.
func (f *fleet) heard() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.said, "\n")
}

// get asks a host's published port.
func (h *vm) get(path string) (int, string) {
	c := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + h.proxy.Places.Listen + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body)
}

// look asks the hosts, as status does.
func (f *fleet) look() map[string]Host {
	all := map[string]Host{}
	for _, h := range f.deployer().Look(f.t.Context(), 5) {
		require.Empty(f.t, h.Trouble)
		all[h.Name] = h
	}
	return all
}

// runs wants an image to run on hosts, healthy, alone, and without drift: by `up`, and by Config.Image of what runs.
func (f *fleet) runs(image Image, hosts ...string) {
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
		for _, c := range h.containers {
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
