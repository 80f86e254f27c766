package proxy_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/hoststate"
	"github.com/foopack/foopack/magefiles/internal/hoststate/hoststatetest"
	"github.com/foopack/foopack/magefiles/internal/proxy"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// script runs in each release's page. It determines which release responds to the page's requests, reports that, and reloads the page once.
const script = `
const frame = () => new Promise((done) => {
  addEventListener("message", (event) => done(event.data));
  document.body.append(Object.assign(document.createElement("iframe"), {src: "frame"}));
});
const socket = () => new Promise((done) => {
  const opened = new WebSocket("ws://" + location.host + "/socket");
  opened.onmessage = (event) => done(event.data);
  opened.onerror = () => done("error");
});
const who = async (headers) => (await fetch("who", {headers, cache: "no-store"})).text();
(async () => {
  const seen = {page: document.title, socket: await socket(), data: await who({}), html: await who({Accept: "text/html"}), frame: await frame()};
  await fetch("report", {method: "POST", body: JSON.stringify(seen)});
  if (!sessionStorage.getItem("again")) {
    sessionStorage.setItem("again", "yes");
    location.reload();
  }
})();
`

// `seen` contains the release that responded to each of a page's requests.
type seen struct{ Page, Socket, Data, HTML, Frame string }

// browsed returns a release whose page runs script. It calls loading when script is requested.
func browsed(name string, loading func(), reports chan<- seen) http.Handler {
	mux := http.NewServeMux()
	html := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Cache-Control", "no-store")
			fmt.Fprint(w, text)
		}
	}
	mux.HandleFunc("/{$}", html("<!doctype html><title>"+name+"</title><body><script src=script.js></script>"))
	mux.HandleFunc("/frame", html("<script>parent.postMessage('"+name+"', '*')</script>"))
	mux.HandleFunc("/script.js", func(w http.ResponseWriter, _ *http.Request) {
		loading()
		w.Header().Set("Content-Type", "text/javascript")
		w.Header().Set("Cache-Control", "no-store")
		fmt.Fprint(w, script)
	})
	mux.HandleFunc("/who", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	mux.HandleFunc("/report", func(_ http.ResponseWriter, r *http.Request) {
		var s seen
		if json.NewDecoder(r.Body).Decode(&s) == nil {
			reports <- s
		}
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, r *http.Request) {
		sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Sec-WebSocket-Accept", base64.StdEncoding.EncodeToString(sum[:]))
		w.WriteHeader(http.StatusSwitchingProtocols)
		conn, both, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintf(conn, "\x81%c%s", len(name), name) // a text frame with the name
		_, _ = bufio.NewReader(both).ReadByte()        // wait until the page is closed
	})
	return mux
}

// One release serves the page, and the switch to the other happens while the page's script is loading.
func TestChromium(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		require.Empty(t, os.Getenv("CI"), "chromium is missing (Debian: chromium)")
		t.Skip("a page was not looked at: chromium is missing (Debian: chromium)")
	}
	all := func(name string) seen { return seen{Page: name, Socket: name, Data: name, HTML: name, Frame: name} }
	for name, c := range map[string]struct {
		url  string
		html string // release that responds if a page of the old release requests HTML
	}{
		"it says what a request is for": {url: "http://127.0.0.1:%s/", html: "one"},
		"it does not say so":            {url: "http://app.example.org:%s/", html: "two"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			places := proxytest.Places(t)
			state := &hoststate.State{Runner: hoststatetest.Local{}, Dir: places.Dir}
			taken, err := state.Take(ctx, "app.staging", hoststate.Holder{Who: "test"}, time.Hour)
			require.NoError(t, err)
			config, err := proxy.Configuration(places, map[string]proxy.Service{"app.staging": {Drain: time.Minute}})
			require.NoError(t, err)
			proxytest.Caddy(t, places, config)

			reports := make(chan seen, 2)
			two := httptest.NewServer(browsed("two", func() {}, reports))
			defer two.Close()
			change := sync.OnceValue(func() error { return state.Switch(ctx, "app.staging", taken.Fence, two.Listener.Addr().String()) })
			one := httptest.NewServer(browsed("one", func() { _ = change() }, reports))
			defer one.Close()
			require.NoError(t, state.Switch(ctx, "app.staging", taken.Fence, one.Listener.Addr().String()))

			_, port, err := net.SplitHostPort(places.Listen)
			require.NoError(t, err)
			profile, err := os.MkdirTemp("", "chromium") // the browser's child processes may still write there for a moment after it exits
			require.NoError(t, err)
			defer os.RemoveAll(profile)
			x := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
				"--disable-dev-shm-usage", "--user-data-dir="+profile, "--host-resolver-rules=MAP app.example.org 127.0.0.1", "--remote-debugging-port=0",
				fmt.Sprintf(c.url, port))
			x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var said strings.Builder
			x.Stderr = &said
			require.NoError(t, x.Start())
			defer func() {
				_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
				_ = x.Wait()
			}()
			next := func() seen {
				select {
				case s := <-reports:
					return s
				case <-time.After(2 * time.Minute):
					require.Fail(t, "the page says nothing", said.String())
					return seen{}
				}
			}
			want := all("one")
			want.Frame, want.HTML = "two", c.html
			require.Equal(t, want, next(), "the page that was there before the switch")
			require.NoError(t, change())
			require.Equal(t, all("two"), next(), "the same page, loaded again")
		})
	}
}
