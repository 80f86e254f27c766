package e2e_test

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/engine"
)

// TestHosts deploys to two real hosts, by the compiled program and OpenSSH: what is well, what is not, killed in the middle, and back.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := startFleet(t, 2, 0)
	manifest := filepath.Join(w.root, "app", "pixi.toml")
	write(t, w.root, "app/pixi.toml", readFile(t, manifest)+"keep = 2\n")
	require.Contains(t, w.must("deploy:setup", "-yes"), "vm1")
	one, two := w.push("1111"), w.push("2222")
	w.must(to(one)...)
	w.settled(one)

	asked, sockets := w.ask(15*time.Millisecond), w.open(4)
	began := time.Now()
	w.must(to(two)...)
	if first := cut(sockets); !first.IsZero() {
		require.GreaterOrEqual(t, first.Sub(began), w.drain, "a socket has its time")
	}
	end(sockets)
	w.settled(two)
	w.fails(w.push("3333", "SICK=yes"), two)
	require.Eventually(t, func() bool { return asked.least() >= 2000 }, 5*time.Minute, 50*time.Millisecond)
	asked.end()

	require.Contains(t, w.fails(w.push("4444", "DIES=1ms"), two), "it dies", "its last words")
	visited := w.visit("/", 1) // and so it dies on the second host alone
	out := w.fails(w.push("5555", "DIES=page"), two)
	visited()
	require.Contains(t, out, "after the switch")

	three := w.push("6666")
	p := w.start(to(three)...)
	require.True(t, p.until("✓ gate"), p.said())
	p.signal(syscall.SIGKILL)
	_, status := p.end()
	require.Equal(t, -1, status)
	for n := range w.names {
		require.Contains(t, []string{two, three}, w.runs(n, fleetKey))
	}
	require.Contains(t, w.must(to(three)...), "is unfinished since")
	w.settled(three)
	for n := range w.names {
		require.False(t, w.has(n, one), "the release before the last two is pruned, with its image")
	}
	require.Contains(t, w.must("deploy:rollback", "-yes"), "staging went back on 2 hosts")
	w.settled(two)

	// What runs on all hosts of staging is promoted to production, and nothing else is.
	production := *w
	staging := *w.machines
	production.machines = &staging
	production.machines.port = w.promotes(manifest)
	require.Contains(t, w.must("deploy:setup", "-env=production", "-yes"), "all hosts of production are set up")
	require.Contains(t, w.must("deploy:to", "production", "-yes"), "it is what staging runs on all its hosts")
	require.Equal(t, two, production.runs(0, "app.production"))
	_, digest, _ := strings.Cut(three, "@")
	out, status = w.mage("deploy:to", "production", "-digest="+digest, "-yes")
	require.Equal(t, 3, status, out)
	require.Contains(t, out, " was to be deployed to production")
	require.Equal(t, two, production.runs(0, "app.production"))

	// A machine that reboots serves the same again, with its secret, and nobody's help.
	w.engine[0].Stop()
	w.engine[0].Run()
	require.Eventually(t, func() bool {
		secret, err := w.get(fresh(), 0, "/secret/TOKEN")
		return err == nil && secret == fleetSecret
	}, time.Minute, 100*time.Millisecond)
	w.settled(two)
	w.secretless()
	w.notReached()

	out, status = w.mage("deploy:to", "production", "-yes") // the second host of staging has no engine by now
	require.Equal(t, 1, status, out)
	require.Contains(t, out, "nothing can be taken over from staging: vm2: ")
}

// promotes adds production to a manifest: one host, which staging has too, with a port of its own. It is after staging.
func (w *fleet) promotes(manifest string) (port int) {
	w.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(w.at[0].String(), "0"))
	require.NoError(w.t, err)
	port = l.Addr().(*net.TCPAddr).Port
	require.NoError(w.t, l.Close())
	text := readFile(w.t, manifest)
	_, table, found := strings.Cut(text, "[tool.deploy.staging]\n")
	require.True(w.t, found)
	table = strings.Replace(table, fmt.Sprintf("port = %d\n", w.port), fmt.Sprintf("port = %d\n", port), 1)
	table = strings.Replace(table, fmt.Sprintf("hosts = [\"%s\"]\n", strings.Join(w.names, `", "`)), "hosts = [\"vm1\"]\n", 1)
	write(w.t, w.root, "app/pixi.toml", text+"[tool.deploy.production]\nafter = \"staging\"\n"+table)
	return port
}

// has reports whether a host has an image.
func (w *fleet) has(host int, ref string) bool {
	w.t.Helper()
	client := engine.New(w.engine[host].Dial)
	defer client.Close()
	_, err := client.Image(w.t.Context(), ref)
	require.True(w.t, err == nil || errors.Is(err, engine.NotFound), err)
	return err == nil
}

// notReached says why a host is not reached, where OpenSSH's own server keeps it from being. The other one is asked all the same.
func (w *fleet) notReached() {
	w.t.Helper()
	s, e := w.sshd[1], w.engine[1]
	for _, c := range []struct {
		how  func()
		says string
	}{
		{func() { s.Stop(); s.Run("AllowStreamLocalForwarding no") }, "the sshd of vm2 forbids forwarding"},
		{func() { s.Stop(); s.Run("DisableForwarding yes") }, "the sshd of vm2 forbids forwarding"},
		{func() { s.Stop(); s.Run("PubkeyAuthentication no") }, "vm2 refuses the login"},
		{func() { s.Stop() }, "vm2 refuses connections"},
		{func() { s.Run(); e.Stop() }, "vm2 has no engine's socket|the engine of vm2 does not run"},
	} {
		c.how()
		out := w.must("deploy:status")
		require.Regexp(w.t, `vm1 +(sha256:|nothing)`, out)
		require.Regexp(w.t, c.says, out)
	}
}

// visit asks some hosts, or all where none is said, for a path all the time, until stop is called. It does not matter what comes of it.
func (w *fleet) visit(path string, hosts ...int) (stop func()) {
	if hosts == nil {
		for n := range w.names {
			hosts = append(hosts, n)
		}
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			for _, n := range hosts {
				_, _ = w.get(fresh(), n, path)
			}
			select {
			case <-over:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}
