package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/localengine"
	"github.com/foopack/foopack/magefiles/internal/localproxy"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

var caddy, newer, application = "registry.example.org/caddy@" + localengine.Digest("caddy"), "registry.example.org/caddy@" + localengine.Digest("newer"), "registry.example.org/app@" + localengine.Digest("app")

// host returns an engine without containers, but with images to pull.
func host(t *testing.T) (*localengine.Engine, *engine.Client) {
	t.Helper()
	e, err := localengine.Start(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Close() })
	e.Offer(localproxy.Image(caddy))
	e.Offer(localproxy.Image(newer))
	e.Offer(localengine.Image{
		Ref:   application,
		Ports: []uint16{8080},
		Program: func(ctx context.Context, c *localengine.Container) int {
			l, err := c.Listen(8080)
			if err != nil {
				return 1
			}
			handler, _ := proxytest.Release(c.Getenv("NAME"))
			server := &http.Server{Handler: handler}
			go func() { _ = server.Serve(l) }()
			<-ctx.Done()
			_ = server.Close()
			return 0
		},
	})
	client := engine.New(e.Dial)
	t.Cleanup(func() { _ = client.Close() })
	return e, client
}

// setup does the same as deploy:setup.
func setup(t *testing.T, c *proxy.Container, env string, s proxy.Service) (fence int64) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, c.Prepare(ctx))
	taken, err := c.Proxy().State.Take(ctx, env, hoststate.Holder{Who: "test"}, time.Hour)
	require.NoError(t, err)
	require.NoError(t, c.Ensure(ctx, env, taken.Fence, s))
	missing, err := c.Missing(ctx, env, s)
	require.NoError(t, err)
	require.Empty(t, missing)
	return taken.Fence
}

// release starts an application in the proxy's network.
func release(t *testing.T, c *proxy.Container, name string) (upstream string) {
	t.Helper()
	require.NoError(t, c.Engine.Pull(t.Context(), application, engine.Login{}))
	id, err := c.Engine.Create(t.Context(), engine.Spec{
		Name:    "container-of-" + name,
		Image:   application,
		Env:     []string{"NAME=" + name},
		Network: c.Network(),
		Aliases: []string{name},
	})
	require.NoError(t, err)
	require.NoError(t, c.Engine.Start(t.Context(), id))
	return name + ":8080"
}

// page returns the page that a visitor gets.
func page(t *testing.T, c *proxy.Container, host string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/file", c.Port), nil)
	require.NoError(t, err)
	r.Host, r.Close = host, true
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

func TestAFreshHostGetsAProxy(t *testing.T) {
	e, client := host(t)
	ctx := t.Context()
	c := &proxy.Container{Engine: client, Port: proxytest.Port(t), Address: netip.MustParseAddr("127.0.0.1"), Image: caddy}
	s := proxy.Service{Drain: time.Minute}
	missing, err := c.Missing(ctx, "app.staging", s)
	require.NoError(t, err)
	require.Len(t, missing, 2)
	require.Contains(t, missing[0], "pull the proxy's image")
	require.Contains(t, missing[1], "start the proxy")
	fence := setup(t, c, "app.staging", s)

	p := c.Proxy()
	upstream := release(t, c, "one")
	require.NoError(t, p.State.SetNext(ctx, "app.staging", fence, upstream))
	a, err := p.AskNext(ctx, "app.staging", s, "/healthz")
	require.NoError(t, err)
	require.Equal(t, "one", a.Header.Get("X-Revision"))
	a, err = p.AskPublished(ctx, "app.staging", s, "/healthz")
	require.NoError(t, err)
	require.Equal(t, 503, a.Status)
	require.NoError(t, p.State.Switch(ctx, "app.staging", fence, upstream))
	a, err = p.AskPublished(ctx, "app.staging", s, "/healthz")
	require.NoError(t, err)
	require.Equal(t, 200, a.Status)
	require.Equal(t, "one", page(t, c, "localhost"))
	require.Eventually(t, func() bool { // a request is still counted for a moment after its response has arrived
		n, err := p.Open(ctx, upstream)
		require.NoError(t, err)
		return n == 0
	}, 10*time.Second, 10*time.Millisecond)

	// A second run changes nothing.
	before := len(e.Requests())
	require.NoError(t, c.Prepare(ctx))
	require.NoError(t, c.Ensure(ctx, "app.staging", fence, s))
	for _, r := range e.Requests()[before:] {
		require.NotContains(t, r.Path, "/containers/create")
		require.NotContains(t, r.Path, "/restart")
	}

	found, err := client.Inspect(ctx, c.Name())
	require.NoError(t, err)
	require.Equal(t, engine.Always, found.Restart)

	// A container of the proxy's image writes a secret to a release's volume. No request to the engine contains the secret.
	require.NoError(t, client.EnsureVolume(ctx, engine.Volume{Name: "secrets-of-one"}))
	inside := &hoststate.State{Runner: c.Inside(engine.Mount{Volume: "secrets-of-one", Target: "/secrets"})}
	require.NoError(t, inside.PutSecret(ctx, "/secrets", "TOKEN", 1000, []byte("s3cr3t")))
	require.FileExists(t, e.Volume("secrets-of-one")+"/TOKEN")
	for _, r := range e.Requests() {
		if !strings.Contains(r.Path, "#stdin") {
			require.NotContains(t, r.Path+string(r.Body), "s3cr3t")
		}
	}
}

// While the proxy is stopped, its state is still accessible, and Missing reports that it is not running.
func TestStoppedProxy(t *testing.T) {
	e, client := host(t)
	ctx := t.Context()
	c := &proxy.Container{Engine: client, Port: proxytest.Port(t), Address: netip.MustParseAddr("127.0.0.1"), Image: caddy}
	fence := setup(t, c, "app.staging", proxy.Service{})
	require.NoError(t, c.Proxy().State.Switch(ctx, "app.staging", fence, release(t, c, "one")))
	require.NoError(t, client.Stop(ctx, c.Name(), time.Second))
	missing, err := c.Missing(ctx, "app.staging", proxy.Service{})
	require.NoError(t, err)
	require.Len(t, missing, 1)
	require.Contains(t, missing[0], "which is exited")
	seen, err := c.Proxy().State.Look(ctx, "app.staging")
	require.NoError(t, err)
	require.Equal(t, "one:8080", seen.Up)
	require.NoError(t, c.Ensure(ctx, "app.staging", fence, proxy.Service{}))
	require.Equal(t, "one", page(t, c, "localhost"))

	// After a reboot, the proxy is running as before.
	e.Down()
	require.NoError(t, e.Up())
	require.Eventually(t, func() bool {
		missing, err := c.Missing(ctx, "app.staging", proxy.Service{})
		return err == nil && len(missing) == 0
	}, 20*time.Second, 50*time.Millisecond)
}

// If the container exits during a call, for example because the engine restarts, the result is unknown. An image without a shell causes a different
// error.
func TestContainerExitsDuringACall(t *testing.T) {
	e, client := host(t)
	ctx := t.Context()
	image := localproxy.Image(caddy)
	runs := image.Command
	var ends func(argv []string) int
	image.Command = func(c *localengine.Container, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, bool) {
		if ends != nil {
			if status := ends(argv); status != 0 {
				return status, true
			}
		}
		return runs(c, argv, stdin, stdout, stderr)
	}
	e.Offer(image)
	c := &proxy.Container{Engine: client, Port: proxytest.Port(t), Address: netip.MustParseAddr("127.0.0.1"), Image: caddy}
	setup(t, c, "app.staging", proxy.Service{})
	look := func() error {
		_, err := c.Proxy().State.Look(ctx, "app.staging")
		return err
	}
	script := func(argv []string) bool { return len(argv) > 2 && argv[2] == hoststate.Script }
	for _, status := range []int{126, 127, 137} {
		ends = func(argv []string) int {
			if script(argv) {
				return status
			}
			return 0
		}
		require.ErrorIs(t, look(), engine.Unreachable, status)
	}
	ends = func(argv []string) int {
		require.NoError(t, client.Stop(ctx, c.Name(), 0))
		return 137
	}
	require.ErrorIs(t, look(), engine.Unreachable)
	ends = nil
	require.NoError(t, look(), "if the container is down, the script runs in another container")
	require.NoError(t, client.Start(ctx, c.Name()))
	ends = func([]string) int { return 127 }
	err := look()
	require.ErrorContains(t, err, "look on the host ended with status 127")
	require.False(t, errors.Is(err, engine.Unreachable))
	ends = func([]string) int { return 79 }
	require.ErrorIs(t, look(), hoststate.ErrNotWritten)
}

func TestServicesShareAPort(t *testing.T) {
	_, client := host(t)
	ctx := t.Context()
	c := &proxy.Container{Engine: client, Port: proxytest.Port(t), Address: netip.MustParseAddr("127.0.0.1"), Image: caddy}
	first, second := proxy.Service{Domain: "a.example.org"}, proxy.Service{Domain: "b.example.org"}
	fence := setup(t, c, "a.staging", first)
	require.NoError(t, c.Proxy().State.Switch(ctx, "a.staging", fence, release(t, c, "one")))

	missing, err := c.Missing(ctx, "b.staging", second)
	require.NoError(t, err)
	require.Len(t, missing, 1)
	require.Contains(t, missing[0], "sockets of b.staging, a.staging")
	_, err = c.Missing(ctx, "b.staging", proxy.Service{})
	require.ErrorContains(t, err, "has no domain")
	_, err = c.Missing(ctx, "b.staging", first)
	require.ErrorContains(t, err, "the same domain")
	fence = setup(t, c, "b.staging", second)
	require.NoError(t, c.Proxy().State.Switch(ctx, "b.staging", fence, release(t, c, "two")))
	require.Equal(t, "one", page(t, c, "a.example.org"))
	require.Equal(t, "two", page(t, c, "b.example.org"))

	// A newer proxy image replaces the container, and Missing announces that.
	c.Image = newer
	missing, err = c.Missing(ctx, "b.staging", second)
	require.NoError(t, err)
	require.Len(t, missing, 2)
	require.Contains(t, missing[1], "the open sockets of b.staging, a.staging are closed")
	require.NoError(t, c.Prepare(ctx))
	require.NoError(t, c.Ensure(ctx, "b.staging", fence, second))
	found, err := client.Inspect(ctx, c.Name())
	require.NoError(t, err)
	require.Equal(t, newer, found.Image)
	require.Equal(t, "one", page(t, c, "a.example.org"))
}

func TestPortInUse(t *testing.T) {
	_, client := host(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c := &proxy.Container{Engine: client, Port: netip.MustParseAddrPort(l.Addr().String()).Port(), Address: netip.MustParseAddr("127.0.0.1"), Image: caddy}
	require.NoError(t, c.Prepare(t.Context()))
	taken, err := c.Proxy().State.Take(t.Context(), "app.staging", hoststate.Holder{}, time.Hour)
	require.NoError(t, err)
	err = c.Ensure(t.Context(), "app.staging", taken.Fence, proxy.Service{})
	require.ErrorContains(t, err, "is used by another program than our proxy")
	_, err = client.Inspect(t.Context(), c.Name())
	require.ErrorIs(t, err, engine.NotFound, "nothing is left behind")
}

// A run that was killed while writing a secret leaves its container behind. The volume can still be removed, unless other containers use it.
func TestAVolumeOfAKilledRunIsRemoved(t *testing.T) {
	e, client := host(t)
	ctx := t.Context()
	c := &proxy.Container{Engine: client, Port: proxytest.Port(t), Address: netip.MustParseAddr("127.0.0.1"), Image: caddy}
	setup(t, c, "app.staging", proxy.Service{})
	require.NoError(t, client.EnsureVolume(ctx, engine.Volume{Name: "secrets"}))
	inside := &hoststate.State{Runner: c.Inside(engine.Mount{Volume: "secrets", Target: "/secrets"})}
	e.Fail(func(r localengine.Request) localengine.Fault {
		if strings.Contains(r.Path, "/attach") {
			e.Break(0) // all further requests fail
		}
		return localengine.None
	})
	require.Error(t, inside.PutSecret(ctx, "/secrets", "TOKEN", 1000, []byte("text")))
	e.Fail(nil)
	e.Break(-1)
	require.ErrorIs(t, client.RemoveVolume(ctx, "secrets"), engine.Conflict)
	require.NoError(t, c.RemoveVolume(ctx, "secrets"))
	require.ErrorIs(t, client.RemoveVolume(ctx, "secrets"), engine.NotFound)
	require.ErrorIs(t, c.RemoveVolume(ctx, c.Name()+"-state"), engine.Conflict, "the proxy uses this volume")
	_, err := client.Inspect(ctx, c.Name())
	require.NoError(t, err)
}
