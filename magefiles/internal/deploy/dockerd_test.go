package deploy

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/deploy/survey"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/dockerdtest"
	"github.com/foopack/foopack/magefiles/internal/host"
	"github.com/foopack/foopack/magefiles/internal/host/hosttest"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// requests: `mage fleet` asks for more.
var requests = flag.Int64("requests", 1000, "how many requests are sent at least while deployments go on")

// metal are hosts with Docker's own engine, Caddy itself and OpenSSH's client.
type metal struct {
	*Deployer

	t        *testing.T
	engines  map[string]*dockerdtest.Engine
	at       map[string]netip.AddrPort // where each publishes
	registry *dockerdtest.Registry
	program  []byte

	mu   sync.Mutex
	said []string
	over []*host.Host
}

func startMetal(t *testing.T, names ...string) *metal {
	t.Helper()
	r := &metal{t: t, engines: map[string]*dockerdtest.Engine{}, at: map[string]netip.AddrPort{}}
	machines := map[string]*hosttest.Server{}
	for n, name := range names {
		r.engines[name] = dockerdtest.Start(t)
		machines[name] = hosttest.Start(t, r.engines[name].Socket)
		r.at[name] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + n)}), 18080)
	}
	r.registry = dockerdtest.StartRegistry(t, "jane", "registry-password")
	r.program = dockerdtest.Build(t, "github.com/foopack/foopack/magefiles/internal/deploy/deploytest")
	login := engine.Login{Server: r.registry.Host, User: "jane", Password: "registry-password"}
	caddy := r.registry.Push(t, "caddy", "amd64", "", proxytest.Image(t))
	env, _ := command.Withhold(os.Environ(), host.Passed...)
	ssh := host.SSH{Runner: command.NewSystem(os.Environ(), nil), Env: env, Config: hosttest.Config(t, machines)}
	r.Deployer = &Deployer{
		Fleet: survey.Fleet{
			App: "app",
			Environment: config.Environment{
				Name:     "staging",
				Hosts:    names,
				Port:     int(r.at[names[0]].Port()),
				Health:   "/healthz",
				Revision: config.Revision{JSON: "revision"},
				Gate:     10 * time.Second,
				Watch:    2 * time.Second,
				Drain:    2 * time.Second,
				Grace:    2 * time.Second,
				Keep:     3,
				Disk:     1,
				Logging:  config.Logging{Driver: "local", Options: map[string]string{"max-size": "20m", "max-file": "5"}},
				Secrets:  []config.Secret{{Name: "TOKEN", Variable: "TOKEN"}},
			},
			Open: func(ctx context.Context, name string) (*survey.Machine, error) {
				h, err := ssh.Connect(ctx, name, "")
				if err != nil {
					return nil, err
				}
				r.mu.Lock()
				r.over = append(r.over, h)
				r.mu.Unlock()
				return survey.NewMachine(&proxy.Container{Engine: h.Engine, Port: r.at[name].Port(), Address: r.at[name].Addr(), Image: caddy, Login: login}), nil
			},
			Login:    func(context.Context, string) (engine.Login, error) { return login, nil },
			Variable: func(name string) (string, bool) { return "the secret of " + name, true },
			Now:      time.Now,
		},
		Who:   hoststate.Holder{Who: "op", From: "desk"},
		Times: DefaultTimes,
		State: t.TempDir(),
		Say: func(format string, args ...any) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.said = append(r.said, fmt.Sprintf(format, args...))
		},
	}
	t.Cleanup(func() {
		for _, h := range r.over {
			h.Close()
		}
	})
	return r
}

// push puts an image of the application into the registry.
func (r *metal) push(revision string, env ...string) survey.Image {
	r.t.Helper()
	ref := r.registry.Push(r.t, "team/app", "amd64", revision, dockerdtest.Image(r.t, r.program, "amd64", v1.Config{
		Entrypoint:   []string{"/app"},
		Env:          append(env, "REVISION="+revision),
		ExposedPorts: map[string]struct{}{"5006/tcp": {}},
		User:         "1000",
		Labels:       map[string]string{"org.opencontainers.image.revision": revision},
	}))
	repository, digest, _ := strings.Cut(ref, "@")
	return survey.Image{Repository: repository, Digest: digest, Revision: revision, Platforms: []string{"linux/amd64"}}
}

// get asks a host's published port. A client without retries and kept connections has one request a connection.
func (r *metal) get(c *http.Client, name, path string) (string, error) {
	resp, err := c.Get("http://" + r.at[name].String() + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	return string(text), err
}

func fresh() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// runs wants an image to run on all hosts, by `up` and by Config.Image of what runs, and to answer with its secret.
func (r *metal) runs(image survey.Image) {
	r.t.Helper()
	for _, h := range r.Look(r.t.Context(), 5) {
		require.Empty(r.t, h.Trouble)
		require.NotNil(r.t, h.Running, "%s: %v", h.Name, h.Drift)
		require.Equal(r.t, image.Ref(), h.Running.Image, h.Name)
		require.True(r.t, strings.HasPrefix(h.Up, h.Running.Release+":"), "%s: up is %s", h.Name, h.Up)
		require.True(r.t, h.Running.Healthy, h.Name)
		require.Empty(r.t, h.Drift, h.Name)
		require.Nil(r.t, h.Holder, h.Name)
		text, err := r.get(fresh(), h.Name, "/healthz")
		require.NoError(r.t, err)
		require.Contains(r.t, text, image.Revision)
		text, err = r.get(fresh(), h.Name, "/secret/TOKEN")
		require.NoError(r.t, err)
		require.Equal(r.t, "the secret of TOKEN", text)
	}
}

// under asks all hosts all the time while f runs, by fresh and by kept connections, and wants none of it to fail.
func (r *metal) under(f func()) {
	r.t.Helper()
	var asked, failed atomic.Int64
	var first atomic.Value
	ctx, stop := context.WithCancel(r.t.Context())
	var clients sync.WaitGroup
	for name := range r.at {
		for _, c := range []*http.Client{fresh(), {Timeout: 10 * time.Second, Transport: once{}}} {
			clients.Go(func() {
				for ctx.Err() == nil {
					asked.Add(1)
					if _, err := r.get(c, name, "/healthz"); err != nil {
						failed.Add(1)
						first.CompareAndSwap(nil, err.Error())
					}
					time.Sleep(5 * time.Millisecond)
				}
			})
		}
	}
	for f(); asked.Load() < *requests; {
		f()
	}
	stop()
	clients.Wait()
	r.t.Logf("%d requests", asked.Load())
	require.Zero(r.t, failed.Load(), "of %d requests: %v", asked.Load(), first.Load())
	require.Greater(r.t, asked.Load(), int64(100))
}

// once sends kept requests that Go's client may not send again by itself: they have a body that cannot be read twice.
type once struct{}

var kept = &http.Transport{DialContext: (&net.Dialer{}).DialContext, MaxIdleConnsPerHost: 4}

func (once) RoundTrip(q *http.Request) (*http.Response, error) {
	q = q.Clone(q.Context())
	q.Method, q.Body, q.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader("x")), 1
	return kept.RoundTrip(q)
}

func TestDockerd(t *testing.T) {
	r := startMetal(t, "a", "b")
	ctx := t.Context()
	require.NoError(t, r.Setup(ctx, nil))
	one, two := r.push("1111"), r.push("2222")
	deploy := func(image survey.Image) error {
		_, err := r.Deploy(ctx, survey.Asked{Image: image})
		return err
	}
	require.NoError(t, deploy(one), r.said)
	r.runs(one)
	r.under(func() {
		require.NoError(t, deploy(two), r.said)
		r.runs(two)
		r.Environment.Gate = 2 * time.Second
		require.ErrorContains(t, deploy(r.push("3333", "SICK=yes")), "every host runs what it ran before")
		r.runs(two)
		require.ErrorContains(t, deploy(r.push("4444", "DIES=1ms")), "every host runs what it ran before")
		r.runs(two)
		require.Contains(t, strings.Join(r.said, "\n"), "it dies", "its last words")
		_, err := r.Deploy(ctx, survey.Asked{Back: true})
		require.NoError(t, err)
		r.runs(one)
	})
	r.Environment.Watch = 6 * time.Second
	require.Error(t, deploy(r.push("5555", "DIES=5s")))
	r.runs(one)

	// A machine that reboots serves the same again, with its secret, and nobody's help.
	r.engines["a"].Stop()
	r.engines["a"].Run()
	require.Eventually(t, func() bool {
		text, err := r.get(fresh(), "a", "/secret/TOKEN")
		return err == nil && text == "the secret of TOKEN"
	}, time.Minute, 100*time.Millisecond)
	r.runs(one)
	for _, h := range r.Look(ctx, 5) {
		for _, c := range h.Containers {
			require.NotContains(t, fmt.Sprint(c), "the secret of")
			require.NotContains(t, fmt.Sprint(c), "registry-password")
		}
	}
}
