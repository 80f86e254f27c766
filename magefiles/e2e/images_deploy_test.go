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

// parts is what a page of the application shows: the text of three of its parts, once its scripts are done, and the release that answers it.
const parts = `(async () => {
  if (!window.Bokeh || !Bokeh.documents.length || !Bokeh.documents[0].is_idle) return "";
  const text = (node) => node.nodeType === 3 ? node.data : [node.shadowRoot, ...node.childNodes].map((each) => each ? text(each) : "").join(" ");
  const part = (name) => text(document.querySelector(".then[data-part=" + name + "]"));
  const health = await (await fetch("healthz", {cache: "no-store"})).json();
  return JSON.stringify({overview: part("overview"), packages: part("packages"), system: part("system"), answers: health.revision});
})()`

// shown is what parts gives.
type shown struct{ Overview, Packages, System, Answers string }

// shows waits until the page of a release is whole, and every part in its place.
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

// deployed brings the application to two hosts, and its next release with a browser on its page, and goes back. The next release has the page's parts in
// another order: a page whose socket were another release's would be garbled.
func (w *imaging) deployed(t *testing.T, app, later image.Result, more ...string) {
	m := startMachines(t, 2, 0)
	caddy := dockerdtest.At(w.Registry).Push(t, "bench/caddy", "amd64", "", proxytest.Image(t))
	w.edit("app/pixi.toml", "hosts = [\"deploy@staging.example.org\"]\nport = 8080\n",
		fmt.Sprintf("hosts = [\"%s\"]\nport = %d\ngate = \"10m\"\ndrain = \"30s\"\ndisk = \"1m\"\nproxy = %q\nssh_config = %q\n", strings.Join(m.names, `", "`), m.port, caddy, m.config))
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
	p := begin(t, w.root, w.env, append([]string{"deploy:to", "staging", "-yes"}, more...)...) // of HEAD
	require.Eventually(t, func() bool { return m.listens(0, later.Repository+"@"+later.Digest, 5006) }, 10*time.Minute, 50*time.Millisecond)
	page.call("Page.navigate", map[string]any{"url": m.url(0, "/")}, nil)
	require.Eventually(t, func() bool { return len(page.waiting()) > 0 }, time.Minute, 20*time.Millisecond)
	require.Equal(t, old, m.up(0, "myapp.staging"), "the page was there before the switch")
	require.Eventually(t, func() bool { return m.up(0, "myapp.staging") != old }, 10*time.Minute, 20*time.Millisecond)
	release()
	page.shows(revision(app))   // its socket was opened behind the switch
	page.shows(revision(later)) // its time is over, and it has loaded itself again
	out, status := p.end()
	require.Zero(t, status, out)
	settled(later)
	require.Empty(t, page.elsewhere(fmt.Sprintf("%s:%d", m.at[0], m.port)))
	page.call("Page.navigate", map[string]any{"url": "about:blank"}, nil)

	w.mage("deploy:rollback", "-env=staging", "-yes")
	settled(app)
}

// listens reports whether a container of an image listens to a port.
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
