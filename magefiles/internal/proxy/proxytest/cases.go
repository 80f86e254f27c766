package proxytest

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/proxy"
)

// Run runs the test suite.
func Run(t *testing.T, serve Serve) {
	for name, test := range map[string]func(t *testing.T, serve Serve){
		"no release yet":                  checkNoRelease,
		"the gate":                        gate,
		"a page belongs to its container": sticky,
		"a page whose response comes after the switch":     slow,
		"an answer is passed on":                           checkPassed,
		"open requests are counted":                        checkCounted,
		"a socket stays open during a switch and a reload": sockets,
		"no request is lost":                               load,
		"services share a port":                            checkShared,
		"an upstream that has exited":                      checkGone,
		"a file that was emptied":                          checkEmptied,
		"the release's file ends with a newline":           lineEnd,
		"nothing answers if the proxy does not run":        checkDown,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, serve)
		})
	}
}

// `alone` returns a single service that has the whole port.
func alone(drain time.Duration) map[string]proxy.Service {
	return map[string]proxy.Service{Env: {Drain: drain}}
}

// two starts two releases, switches to the first one, and returns their addresses.
func two(t *testing.T, serve Serve, drain time.Duration) (b *Bench, one, other string) {
	t.Helper()
	b = start(t, serve, alone(drain))
	h1, _ := Release("one")
	h2, _ := Release("two")
	one, other = onLoopback(t, h1), onLoopback(t, h2)
	b.switchTo(one)
	return b, one, other
}

func checkNoRelease(t *testing.T, serve Serve) {
	b := start(t, serve, alone(0))
	require.Equal(t, 503, b.get("/").status)
	require.Equal(t, 503, b.get("/", "Cookie", "release-"+Env+"=none").status)
	for _, ask := range []func() (hoststate.Answer, error){
		func() (hoststate.Answer, error) {
			return b.Proxy.AskNext(t.Context(), Env, proxy.Service{}, "/healthz")
		},
		func() (hoststate.Answer, error) {
			return b.Proxy.AskPublished(t.Context(), Env, proxy.Service{}, "/healthz")
		},
	} {
		a, err := ask()
		require.NoError(t, err)
		require.Equal(t, 503, a.Status)
	}
}

func gate(t *testing.T, serve Serve) {
	b, _, other := two(t, serve, 0)
	b.setNext(other)
	a, err := b.Proxy.AskNext(t.Context(), Env, proxy.Service{Domain: "app.example.org"}, "/healthz?x=1")
	require.NoError(t, err)
	require.Equal(t, 200, a.Status)
	require.Equal(t, "two", revision(t, a))
	require.Equal(t, "two", a.Header.Get("X-Revision"))
	require.Equal(t, "app.example.org", a.Header.Get("X-Host"))
	a, err = b.Proxy.AskPublished(t.Context(), Env, proxy.Service{}, "/healthz")
	require.NoError(t, err)
	require.Equal(t, "one", revision(t, a))
	require.Equal(t, "one", b.get("/file").body, "visitors do not get the next release")
	require.Equal(t, 404, b.get("/"+Env+"/next/file").status)

	a, err = b.Proxy.AskNext(t.Context(), Env, proxy.Service{}, "/healthz?status=500")
	require.NoError(t, err)
	require.Equal(t, 500, a.Status)
	a, err = b.Proxy.AskNext(t.Context(), Env, proxy.Service{}, "/nothing")
	require.NoError(t, err)
	require.Equal(t, 404, a.Status)
}

func sticky(t *testing.T, serve Serve) {
	b, one, other := two(t, serve, 0)
	page := b.get("/", "Sec-Fetch-Dest", "document")
	require.Equal(t, answer{status: 200, body: "<p>one", cookie: one}, page)
	require.Empty(t, b.get("/file").cookie, "only a page sets the cookie")
	name := proxy.Cookie(Env)
	old := name + "=" + one

	b.switchTo(other)
	for _, c := range []struct {
		what   string
		header []string
		want   string
	}{
		{"a visitor without a cookie", nil, "two"},
		{"a request of the old page", []string{"Cookie", old}, "one"},
		{"a cookie among others", []string{"Cookie", "a=b; " + old + "; c=d"}, "one"},
		{"a script, by Sec-Fetch-Dest", []string{"Cookie", old, "Sec-Fetch-Dest", "script"}, "one"},
		{"data, although Accept has text/html", []string{"Cookie", old, "Sec-Fetch-Dest", "empty", "Accept", "text/html, */*"}, "one"},
		{"a new page", []string{"Cookie", old, "Sec-Fetch-Dest", "document"}, "two"},
		{"a new page in a frame", []string{"Cookie", old, "Sec-Fetch-Dest", "iframe"}, "two"},
		{"a new page of a browser without Sec-Fetch-Dest", []string{"Cookie", old, "Accept", "text/html,application/xhtml+xml"}, "two"},
		{"the new page's cookie", []string{"Cookie", name + "=" + other}, "two"},
		{"an address of the visitor's choice", []string{"Cookie", name + "=127.0.0.1:22"}, "two"},
		{"a placeholder", []string{"Cookie", name + "={http.vars.previous}"}, "two"},
		{"another environment's cookie", []string{"Cookie", "release-other=" + one}, "two"},
		{"a cookie whose name ends like ours", []string{"Cookie", "x" + old}, "two"},
		{"an empty cookie", []string{"Cookie", name + "="}, "two"},
	} {
		a := b.get("/file", c.header...)
		require.Equal(t, answer{status: 200, body: c.want}, a, c.what)
	}
	require.Equal(t, answer{status: 200, body: "<p>two", cookie: other}, b.get("/", "Cookie", old, "Sec-Fetch-Dest", "document"))

	b.setPrev(hoststate.None)
	for _, cookie := range []string{old, name + "=none", name + "=", "a=b"} {
		require.Equal(t, answer{status: 200, body: "two"}, b.get("/file", "Cookie", cookie), cookie)
	}

	// Switch back.
	b.switchTo(one)
	require.Equal(t, "two", b.get("/file", "Cookie", name+"="+other).body)
	require.Equal(t, "one", b.get("/file", "Cookie", old).body)
}

// The page is requested before the switch, and the response comes after it.
func slow(t *testing.T, serve Serve) {
	b := start(t, serve, alone(0))
	h1, goOn := Release("one")
	h2, _ := Release("two")
	one, other := onLoopback(t, h1), onLoopback(t, h2)
	b.switchTo(one)
	got := make(chan answer, 1)
	go func() { got <- b.get("/slow") }()
	require.Eventually(t, func() bool { n, err := b.Proxy.Open(t.Context(), one); return err == nil && n == 1 }, 20*time.Second, 20*time.Millisecond)
	b.switchTo(other)
	goOn()
	require.Equal(t, answer{status: 200, body: "<p>one", cookie: one}, <-got)
}

func checkPassed(t *testing.T, serve Serve) {
	b, _, _ := two(t, serve, 0)
	a := b.get("/healthz?status=503")
	require.Equal(t, answer{status: 503, body: `{"revision": "one"}`}, a)
	a = ask(fresh, http.MethodPost, "http://"+b.Proxy.Places.Listen+"/file", strings.NewReader("body"))
	require.Equal(t, answer{status: 200, body: "onebody"}, a)
}

func checkCounted(t *testing.T, serve Serve) {
	b, one, other := two(t, serve, 0)
	count := func(upstream string) int {
		n, err := b.Proxy.Open(t.Context(), upstream)
		require.NoError(t, err)
		return n
	}
	require.Zero(t, count(one))
	first, second := dial(t, b.Proxy.Places.Listen), dial(t, b.Proxy.Places.Listen)
	require.Equal(t, 2, count(one))
	b.switchTo(other)
	third := dial(t, b.Proxy.Places.Listen, "Cookie: "+proxy.Cookie(Env)+"="+one)
	fourth := dial(t, b.Proxy.Places.Listen)
	require.Equal(t, []int{3, 1}, []int{count(one), count(other)})
	for _, s := range []*socket{first, second, third} {
		name, err := s.echo()
		require.NoError(t, err)
		require.Equal(t, "one", name)
		s.Close()
	}
	require.Eventually(t, func() bool { return count(one) == 0 }, 20*time.Second, 20*time.Millisecond)
	require.Equal(t, 1, count(other))
	name, err := fourth.echo()
	require.NoError(t, err)
	require.Equal(t, "two", name)
}

func sockets(t *testing.T, serve Serve) {
	const drain = 3 * time.Second
	b, _, other := two(t, serve, drain)
	old := dial(t, b.Proxy.Places.Listen)
	b.switchTo(other)
	live := func(s *socket, want string) {
		t.Helper()
		name, err := s.echo()
		require.NoError(t, err)
		require.Equal(t, want, name)
	}
	live(old, "one")
	b.Reload(t, b.config(alone(drain))) // no change
	live(old, "one")

	changed := time.Now()
	b.Reload(t, b.config(alone(time.Hour)))
	live(old, "one")
	young := dial(t, b.Proxy.Places.Listen)
	require.Eventually(t, func() bool { _, err := old.echo(); return err != nil }, 30*time.Second, 100*time.Millisecond)
	require.GreaterOrEqual(t, time.Since(changed), drain-time.Second, "the drain time is over")
	live(young, "two")
}

// Under continuous load, the releases are switched repeatedly, and each request is served by one of them.
func load(t *testing.T, serve Serve) {
	b, one, other := two(t, serve, 0)
	const each = 200
	kept := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, Timeout: time.Minute}
	defer kept.CloseIdleConnections()
	var all sync.WaitGroup
	failed := make(chan string, 4*each)
	for kind, send := range map[string]func() answer{
		"fresh page": func() answer { return b.get("/") },
		"fresh file": func() answer { return b.get("/file") },
		// The body cannot be read twice, so that the client does not retry.
		"kept": func() answer {
			return ask(kept, http.MethodPost, "http://"+b.Proxy.Places.Listen+"/file", once{Reader: bytes.NewReader([]byte("!"))})
		},
		"health": func() answer { return b.get("/healthz") },
	} {
		all.Go(func() {
			for range each {
				if a := send(); a.err != nil || a.status != 200 || !strings.Contains(a.body, "one") && !strings.Contains(a.body, "two") {
					failed <- fmt.Sprintf("%s: %+v", kind, a)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	for i := 0; ; i++ {
		b.switchTo([]string{other, one}[i%2])
		select {
		case <-done:
			require.Positive(t, i)
			require.Empty(t, failed, "%v", len(failed))
			return
		default:
		}
	}
}

// `once` hides a reader's type, so that a client cannot rewind it.
type once struct{ *bytes.Reader }

func (once) Close() error { return nil }

func checkShared(t *testing.T, serve Serve) {
	services := map[string]proxy.Service{Env: {Domain: "a.example.org", Drain: time.Minute}}
	b := start(t, serve, services)
	h1, _ := Release("one")
	h2, _ := Release("two")
	b.switchTo(onLoopback(t, h1))
	require.Equal(t, "one", b.get("/file", "Host", "a.example.org").body)
	require.Equal(t, "one", b.get("/file", "Host", "a.example.org:8080").body)
	require.Equal(t, 404, b.get("/file", "Host", "b.example.org").status)
	require.Equal(t, 404, b.get("/file").status)

	// A new service gets only its own requests, and existing sockets remain open.
	old := dial(t, b.Proxy.Places.Listen, "Host: a.example.org")
	const second = "other.production"
	services[second] = proxy.Service{Domain: "b.example.org"}
	b.Reload(t, b.config(services))
	taken, err := b.Proxy.State.Take(t.Context(), second, hoststate.Holder{Who: "test"}, time.Hour)
	require.NoError(t, err)
	require.NoError(t, b.Proxy.State.Switch(t.Context(), second, taken.Fence, onLoopback(t, h2)))
	require.Equal(t, "one", b.get("/file", "Host", "a.example.org").body)
	require.Equal(t, "two", b.get("/file", "Host", "b.example.org").body)
	a, err := b.Proxy.AskPublished(t.Context(), second, services[second], "/healthz")
	require.NoError(t, err)
	require.Equal(t, "two", revision(t, a))
	name, err := old.echo()
	require.NoError(t, err)
	require.Equal(t, "one", name)
}

func checkGone(t *testing.T, serve Serve) {
	b, _, _ := two(t, serve, 0)
	nobody := free(t)
	b.switchTo(nobody)
	b.setNext(nobody)
	require.Equal(t, 502, b.get("/").status)
	a, err := b.Proxy.AskNext(t.Context(), Env, proxy.Service{}, "/healthz")
	require.NoError(t, err)
	require.Equal(t, 502, a.Status)
}

func checkEmptied(t *testing.T, serve Serve) {
	b, _, _ := two(t, serve, 0)
	dir := filepath.Join(b.Proxy.Places.Dir, "env", Env)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prev"), nil, 0o644))
	require.Equal(t, "one", b.get("/file", "Cookie", proxy.Cookie(Env)+"=").body)
	require.NoError(t, os.Remove(filepath.Join(dir, "prev")))
	require.Equal(t, "one", b.get("/file", "Cookie", proxy.Cookie(Env)+"=").body)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "up"), nil, 0o644))
	require.Equal(t, 503, b.get("/").status)
	require.NoError(t, os.Remove(filepath.Join(dir, "up")))
	require.Equal(t, 503, b.get("/").status)
}

// The file was edited manually, and ends with a newline.
func lineEnd(t *testing.T, serve Serve) {
	b, _, other := two(t, serve, 0)
	require.NoError(t, os.WriteFile(filepath.Join(b.Proxy.Places.Dir, "env", Env, "up"), []byte(other+"\n"), 0o644))
	require.Equal(t, answer{status: 200, body: "<p>two", cookie: other}, b.get("/"))
}

func checkDown(t *testing.T, serve Serve) {
	b, _, _ := two(t, serve, 0)
	b.Proxy.Places.Inside, b.Proxy.Places.Admin = free(t), free(t)
	a, err := b.Proxy.AskNext(t.Context(), Env, proxy.Service{}, "/healthz")
	require.NoError(t, err)
	require.Zero(t, a.Status)
	_, err = b.Proxy.Open(t.Context(), "x:80")
	require.Error(t, err)
}
