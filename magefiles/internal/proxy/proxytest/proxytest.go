// Package proxytest is the test suite for both the real proxy and its stand-in.
//
//	cases.go    defines the test cases
//	release.go  implements the applications behind the proxy
//	caddy.go    runs the real Caddy on loopback
//	image.go    makes an image with the real Caddy
//	proxytest.go
package proxytest

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/hoststate/hoststatetest"
	"github.com/foopack/foopack/magefiles/internal/proxy"
)

// Env is the environment that the test cases use.
const Env = "app.staging"

// Bench is a proxy under test, with the state that the proxy reads.
type Bench struct {
	Proxy  *proxy.Proxy
	Reload func(t testing.TB, config string) // loads another configuration
	fence  int64
	t      testing.TB
}

// Serve starts a proxy with a configuration.
type Serve func(t testing.TB, places proxy.Places, config string) (reload func(t testing.TB, config string))

// Places returns free addresses on loopback, with the state in a folder for the test.
func Places(t testing.TB) proxy.Places {
	return proxy.Places{Listen: free(t), Inside: free(t), Admin: free(t), Dir: t.TempDir()}
}

func free(t testing.TB) string {
	t.Helper()
	return netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), Port(t)).String()
}

// Port returns an unused loopback port. It is outside the kernel's ephemeral range, because another test's connection could otherwise take the port
// before this test's server does.
func Port(t testing.TB) uint16 {
	t.Helper()
	for range 100 {
		port := uint16(10_000 + rand.IntN(20_000))
		l, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
		if err == nil {
			require.NoError(t, l.Close())
			return port
		}
	}
	require.Fail(t, "no port is free")
	return 0
}

// start starts a proxy with services, and acquires the environment's lock.
func start(t *testing.T, serve Serve, services map[string]proxy.Service) *Bench {
	t.Helper()
	b := &Bench{t: t, Proxy: &proxy.Proxy{Places: Places(t)}}
	b.Proxy.State = &hoststate.State{Runner: hoststatetest.Local{}, Dir: b.Proxy.Places.Dir}
	taken, err := b.Proxy.State.Take(t.Context(), Env, hoststate.Holder{Who: "test"}, time.Hour)
	require.NoError(t, err)
	b.fence = taken.Fence
	b.Reload = serve(t, b.Proxy.Places, b.config(services))
	return b
}

func (b *Bench) config(services map[string]proxy.Service) string {
	b.t.Helper()
	config, err := proxy.Configuration(b.Proxy.Places, services)
	require.NoError(b.t, err)
	return config
}

func (b *Bench) switchTo(upstream string) {
	b.t.Helper()
	require.NoError(b.t, b.Proxy.State.Switch(b.t.Context(), Env, b.fence, upstream))
}

func (b *Bench) setNext(upstream string) {
	b.t.Helper()
	require.NoError(b.t, b.Proxy.State.SetNext(b.t.Context(), Env, b.fence, upstream))
}

func (b *Bench) setPrev(upstream string) {
	b.t.Helper()
	require.NoError(b.t, b.Proxy.State.SetPrev(b.t.Context(), Env, b.fence, upstream))
}

// answer is a response, as received by a client.
type answer struct {
	status int
	body   string
	cookie string // value of the environment's cookie, if set
	err    error
}

var fresh = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Timeout:       time.Minute,
}

// get sends a request to the published port. header alternates between names and values.
func (b *Bench) get(path string, header ...string) answer {
	return ask(fresh, http.MethodGet, "http://"+b.Proxy.Places.Listen+path, nil, header...)
}

func ask(c *http.Client, method, url string, body io.Reader, header ...string) answer {
	r, err := http.NewRequestWithContext(context.Background(), method, url, body)
	if err != nil {
		return answer{err: err}
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	a := answer{status: res.StatusCode, body: string(text), err: err}
	for _, cookie := range res.Cookies() {
		if cookie.Name == proxy.Cookie(Env) {
			a.cookie = cookie.Value
		}
	}
	return a
}

// revision returns the revision in a health response.
func revision(t testing.TB, a hoststate.Answer) string {
	t.Helper()
	var health struct{ Revision string }
	require.NoError(t, json.Unmarshal(a.Body, &health), "%s", a.Body)
	return health.Revision
}
