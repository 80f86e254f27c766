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

// TestHosts deploys to two real hosts with the compiled program and OpenSSH. It covers healthy images, images that fail, a killed deployment, and a
// rollback.
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
		require.GreaterOrEqual(t, first.Sub(began), w.drain, "a socket gets its time to end")
	}
	end(sockets)
	w.settled(two)
	w.fails(w.push("3333", "SICK=yes"), two)
	require.Eventually(t, func() bool { return asked.least() >= 2000 }, 5*time.Minute, 50*time.Millisecond)
	asked.end()

	require.Contains(t, w.fails(w.push("4444", "DIES=1ms"), two), "it dies", "the last output of the container")
	visited := w.visit("/", 1) // requests only to the second host, so the image dies only there
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
	require.Contains(t, w.must(to(three)...), " has not ended")
	w.settled(three)
	for n := range w.names {
		require.False(t, w.has(n, one), "the release before the last two is pruned, with its image")
	}
	require.Contains(t, w.must("deploy:rollback", "-yes"), "staging went back on 2 hosts")
	w.settled(two)

	// Only an image that runs on all staging hosts is promoted to production.
	production := *w
	staging := *w.machines
	production.machines = &staging
	production.machines.port = w.promotes(manifest)
	require.Contains(t, w.must("deploy:setup", "-env=production", "-yes"), "all hosts of production are set up")
	require.Contains(t, w.must("deploy:to", "production", "-yes"), "all hosts of staging run this image")
	require.Equal(t, two, production.runs(0, "app.production"))
	_, digest, _ := strings.Cut(three, "@")
	out, status = w.mage("deploy:to", "production", "-digest="+digest, "-yes")
	require.Equal(t, 3, status, out)
	require.Contains(t, out, "but the plan deploys ")
	require.Equal(t, two, production.runs(0, "app.production"))

	// After a reboot, a machine serves the same image with its secret again, without manual steps.
	w.engine[0].Stop()
	w.engine[0].Run()
	require.Eventually(t, func() bool {
		secret, err := w.get(fresh(), 0, "/secret/TOKEN")
		return err == nil && secret == fleetSecret
	}, time.Minute, 100*time.Millisecond)
	w.settled(two)
	w.secretless()
	w.notReached()

	out, status = w.mage("deploy:to", "production", "-yes") // the second staging host has no engine at this point
	require.Equal(t, 1, status, out)
	require.Contains(t, out, "no image can be taken over from staging: vm2: ")
}

// promotes adds production, after staging, to a manifest. Production has one host, which is also in staging but with another port.
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

// `has` reports whether an image is on a host.
func (w *fleet) has(host int, ref string) bool {
	w.t.Helper()
	client := engine.New(w.engine[host].Dial)
	defer client.Close()
	_, err := client.Image(w.t.Context(), ref)
	require.True(w.t, err == nil || errors.Is(err, engine.NotFound), err)
	return err == nil
}

// notReached makes one of two hosts unreachable in several ways, with OpenSSH's real server. The error must report the reason, and the other host
// must still be queried.
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
		out, status := w.mage("deploy:status")
		require.Equal(w.t, 1, status, out)
		require.Regexp(w.t, `vm1 +(sha256:|nothing)`, out)
		require.Regexp(w.t, c.says, out)
	}
}

// visit requests a path from the given hosts repeatedly, until stop is called, and ignores the responses. Without hosts, it uses all.
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
