package e2e_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHosts deploys to two real hosts, by the compiled program and OpenSSH: what is well, what is not, killed in the middle, and back.
func TestHosts(t *testing.T) {
	t.Parallel()
	w := startFleet(t, 2, 0)
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
	visited := w.visit("/")
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
	require.Contains(t, w.must("deploy:rollback", "-yes"), "staging went back on 2 hosts")
	w.settled(two)

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

// visit asks all hosts for a path all the time, until stop is called. It does not matter what comes of it.
func (w *fleet) visit(path string) (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			for n := range w.names {
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
