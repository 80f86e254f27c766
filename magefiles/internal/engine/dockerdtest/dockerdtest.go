// Package dockerdtest runs a real Docker engine for tests (dockerdtest.go), and makes images that consist of one static program, served by a
// registry on loopback (image.go). It requires Linux, root, and Debian's docker.io. CI has them. Elsewhere, a test that starts an engine is skipped
// with a list of what is missing.
package dockerdtest

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Engine is a running engine. It creates no default bridge, and does not change the machine's firewall. Networks created by tests can publish
// ports, including on loopback.
type Engine struct {
	Socket string // a short path

	t    testing.TB
	dir  string // a short path, because it contains sockets
	data string
	args []string
	x    *exec.Cmd
}

// Start starts an engine without images or containers. It stops when the test ends.
func Start(t testing.TB) *Engine {
	t.Helper()
	e := prepare(t)
	e.Run()
	return e
}

// StartAt starts an engine that behaves as if it were on a separate machine: ports published on all addresses are bound to a single loopback
// address. Unless megabytes is 0, its disk is a tmpfs of that size.
func StartAt(t testing.TB, at netip.Addr, megabytes int) *Engine {
	t.Helper()
	e := prepare(t)
	docker, err := look("docker-proxy")
	require.NoError(t, err)
	proxy := filepath.Join(e.dir, "proxy")
	require.NoError(t, os.WriteFile(proxy, fmt.Appendf(nil, publisher, docker, at), 0o755))
	e.args = []string{"--userland-proxy-path", proxy}
	if megabytes > 0 {
		require.NoError(t, mount(e.data, megabytes))
	}
	e.Run()
	return e
}

func prepare(t testing.TB) *Engine {
	t.Helper()
	need(t)
	short, err := os.MkdirTemp("", "dk")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	e := &Engine{Socket: filepath.Join(short, "s"), t: t, dir: short, data: filepath.Join(t.TempDir(), "engine")}
	require.NoError(t, os.Mkdir(e.data, 0o711))
	t.Cleanup(func() { detach(e.data) }) // in case it is a tmpfs
	t.Cleanup(func() {
		e.Stop()
		known, _ := os.ReadFile(filepath.Join(e.data, "network", "files", "local-kv.db")) // does not exist if no network was created
		for _, name := range bridge.FindAll(known, -1) {
			unbridge(string(name))
		}
	})
	return e
}

// bridge matches the name of a network's bridge device, which an engine does not remove. A machine has addresses for only thirty such devices.
var bridge = regexp.MustCompile(`br-[0-9a-f]{12}`)

// publisher wraps the engine's docker-proxy, which listens on a published port. The engine waits for a byte from it.
const publisher = `#!/bin/sh
case " $* " in
*" -host-ip :: "*) printf '0\n' >&3 && exec sleep infinity ;;
esac
exec %s $(printf '%%s ' "$@" | sed 's/-host-ip 0\.0\.0\.0 /-host-ip %s /')
`

// Volume returns a volume's folder.
func (e *Engine) Volume(name string) string { return filepath.Join(e.data, "volumes", name, "_data") }

// Fill fills the disk of an engine from StartAt, except for `left` bytes, until empty is called.
func (e *Engine) Fill(left int64) (empty func()) {
	e.t.Helper()
	path := filepath.Join(e.data, "filler")
	f, err := os.Create(path)
	require.NoError(e.t, err)
	defer f.Close()
	size := free(e.data) - left
	require.Positive(e.t, size)
	zeros := make([]byte, 1<<20)
	for ; size > 0; size -= int64(len(zeros)) {
		if _, err := f.Write(zeros[:min(size, int64(len(zeros)))]); err != nil {
			break // something else filled the disk
		}
	}
	return func() { _ = os.Remove(path) }
}

// need skips the test, or fails it in CI, if a requirement is missing.
func need(t testing.TB) {
	t.Helper()
	var missing []string
	if runtime.GOOS != "linux" {
		missing = append(missing, "Linux")
	} else if os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	for _, program := range []string{"dockerd", "containerd", "runc"} {
		if _, err := look(program); err != nil {
			missing = append(missing, program+" (Debian: docker.io)")
		}
	}
	if len(missing) == 0 {
		return
	}
	reason := "a Docker engine runs with what is missing here: " + strings.Join(missing, ", ")
	require.False(t, os.Getenv("CI") != "" && os.Geteuid() == 0, reason)
	t.Skip(reason)
}

// look finds a program in PATH, or in the folders for root's programs.
func look(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

// Run starts a stopped engine.
func (e *Engine) Run() {
	e.t.Helper()
	dockerd, err := look("dockerd")
	require.NoError(e.t, err)
	log, err := os.OpenFile(filepath.Join(e.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(e.t, err)
	defer log.Close()
	x := exec.Command(dockerd, append([]string{
		"--data-root", e.data, "--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"),
		"--host", "unix://" + e.Socket, "--iptables=false", "--bridge=none",
	}, e.args...)...)
	x.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	x.Stdout, x.Stderr = log, log
	x.SysProcAttr = killWithParent(syscall.SIGTERM) // the engine stops containerd, which stops its containers
	require.NoError(e.t, x.Start())
	e.x = x
	require.Eventually(e.t, func() bool {
		conn, err := e.Dial(context.Background())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 2*time.Minute, 50*time.Millisecond, "the engine does not start: %s", log.Name())
}

// Stop stops the engine, as in a system shutdown.
func (e *Engine) Stop() {
	if e.x == nil {
		return
	}
	_ = e.x.Process.Signal(syscall.SIGTERM)
	_ = e.x.Wait()
	e.x = nil
	detach(filepath.Join(e.dir, "exec", "netns", "default")) // the engine does not unmount this
}

// Dial connects to the engine. It is an engine.Dialer.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
}
