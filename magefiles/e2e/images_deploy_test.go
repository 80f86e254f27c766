package e2e_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/engine/dockerdtest"
	"github.com/foopack/foopack/magefiles/internal/image"
	"github.com/foopack/foopack/magefiles/internal/proxy/proxytest"
)

// `parts` returns what a page of the application shows once its scripts have run: the text of three of its parts, and the release that served it.
const parts = `(async () => {
  if (!window.Bokeh || !Bokeh.documents.length || !Bokeh.documents[0].is_idle) return "";
  const text = (node) => node.nodeType === 3 ? node.data : [node.shadowRoot, ...node.childNodes].map((each) => each ? text(each) : "").join(" ");
  const part = (name) => text(document.querySelector(".then[data-part=" + name + "]"));
  const health = await (await fetch("healthz", {cache: "no-store"})).json();
  return JSON.stringify({overview: part("overview"), packages: part("packages"), system: part("system"), answers: health.revision});
})()`

// shown holds the result of parts.
type shown struct{ Overview, Packages, System, Answers string }

// `shows` waits until a page is served by the given release and complete, with every part in its place.
func (b *tab) shows(revision string) {
	b.t.Helper()
	var seen shown
	require.Eventually(b.t, func() bool {
		seen = shown{}
		return json.Unmarshal([]byte(b.says(parts)), &seen) == nil && strings.Contains(seen.System, revision) && seen.Answers == revision
	}, 10*time.Minute, 500*time.Millisecond, "%+v", &seen)
	require.Regexp(b.t, "All well|Works", seen.Overview)
	require.Contains(b.t, seen.Packages, "foopack-core")
	require.Contains(b.t, seen.System, "CPython")
}

// deployed deploys the application to two hosts, then deploys the next release while a browser shows the page, and rolls back. The next release
// orders the parts of the page differently, so a page with a socket to the other release would be garbled.
func (w *imaging) deployed(t *testing.T, app, later image.Result, more ...string) {
	m := startMachines(t, 2, 0)
	caddy := dockerdtest.At(w.Registry).Push(t, "bench/caddy", "amd64", "", proxytest.Image(t))
	w.edit("app/pixi.toml", "hosts = [\"deploy@staging.example.org\"]\nport = 8080\n",
		fmt.Sprintf("hosts = [\"%s\"]\nport = %d\ngate = \"10m\"\ndrain = \"1m\"\ndisk = \"1m\"\nproxy = %q\nssh_config = %q\n", strings.Join(m.names, `", "`), m.port, caddy, m.config))
	defer git(t, w.root, "checkout", "--quiet", "--", "app/pixi.toml")
	revision := func(r image.Result) string { return r.Images[0].Labels["org.opencontainers.image.revision"] }
	settled := func(r image.Result) {
		t.Helper()
		for n, name := range m.names {
			require.Equal(t, r.Repository+"@"+r.Digest, m.runs(n, "myapp.staging"), name)
			answer, err := fresh().Get(m.url(n, "/healthz"))
			require.NoError(t, err)
			var health struct{ Revision string }
			require.NoError(t, json.NewDecoder(answer.Body).Decode(&health))
			require.NoError(t, answer.Body.Close())
			require.Equal(t, http.StatusOK, answer.StatusCode)
			require.Equal(t, revision(r), health.Revision, name)
		}
	}
	w.mage("deploy:setup", "-env=staging", "-yes")
	w.mage("deploy:to", "staging", "-digest="+app.Digest, "-yes")
	settled(app)

	page := browse(t)
	release := page.hold("*bokeh*.js*")
	old := m.up(0, "myapp.staging")
	p := begin(t, w.root, w.env, append([]string{"deploy:to", "staging", "-yes"}, more...)...) // the image of HEAD
	require.Eventually(t, func() bool { return m.listens(0, later.Repository+"@"+later.Digest, 5006) }, 10*time.Minute, 50*time.Millisecond)
	page.call("Page.navigate", map[string]any{"url": m.url(0, "/")}, nil)
	require.Eventually(t, func() bool { return len(page.waiting()) > 0 }, time.Minute, 20*time.Millisecond)
	require.Equal(t, old, m.up(0, "myapp.staging"), "the page was there before the switch")
	require.Eventually(t, func() bool { return m.up(0, "myapp.staging") != old }, 10*time.Minute, 20*time.Millisecond)
	release()
	page.shows(revision(app))   // the page's socket was opened after the switch
	page.shows(revision(later)) // the old release has exited, so the page has reloaded
	out, status := p.end()
	require.Zero(t, status, out)
	settled(later)
	require.Empty(t, page.elsewhere(fmt.Sprintf("%s:%d", m.at[0], m.port)))
	page.call("Page.navigate", map[string]any{"url": "about:blank"}, nil)

	w.mage("deploy:rollback", "-env=staging", "-yes")
	settled(app)
}

// listens reports whether a container of the image listens on the port.
func (m *machines) listens(host int, image string, port uint16) bool {
	client := engine.New(m.engine[host].Dial)
	defer client.Close()
	all, err := client.Containers(m.t.Context(), "pixi-release.release")
	require.NoError(m.t, err)
	for _, c := range all {
		for _, network := range c.Networks {
			if c.Image != image || !network.Address.IsValid() {
				continue
			}
			conn, err := net.DialTimeout("tcp", netip.AddrPortFrom(network.Address, port).String(), time.Second)
			if err == nil {
				return conn.Close() == nil
			}
		}
	}
	return false
}
