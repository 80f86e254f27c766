// Package dockerdtest runs Docker's own engine for tests (dockerdtest.go), with images out of one static program, from a registry on
// loopback (image.go). It needs root on Linux, and Debian's docker.io. CI as root has both; elsewhere a test that starts one is skipped, with
// the names of what is missing. It serves tests only.
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

// Engine is a running engine. It makes no bridge of its own, and leaves the machine's firewall alone; networks that are made have ports, on
// loopback too.
type Engine struct {
	Socket string // a short path

	t    testing.TB
	dir  string // short: sockets are in it
	data string
	args []string
	x    *exec.Cmd
}

// Start starts an engine that has nothing. It ends with the test.
func Start(t testing.TB) *Engine {
	t.Helper()
	e := prepare(t)
	e.Run()
	return e
}

// StartAt starts an engine as that of a machine of its own on this one: ports that are published for all addresses are those of one address of
// loopback, and, unless megabytes is 0, its disk is memory of that size.
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
	t.Cleanup(func() { detach(e.data) }) // where it is memory
	t.Cleanup(func() {
		e.Stop()
		known, _ := os.ReadFile(filepath.Join(e.data, "network", "files", "local-kv.db")) // none where no network was made
		for _, name := range bridge.FindAll(known, -1) {
			unbridge(string(name))
		}
	})
	return e
}

// bridge is the machine's name of a network, which an engine leaves when it ends. A machine has addresses for thirty.
var bridge = regexp.MustCompile(`br-[0-9a-f]{12}`)

// publisher stands in front of the engine's program that listens to a published port. The engine waits for its word.
const publisher = `#!/bin/sh
case " $* " in
*" -host-ip :: "*) printf '0\n' >&3 && exec sleep infinity ;;
esac
exec %s $(printf '%%s ' "$@" | sed 's/-host-ip 0\.0\.0\.0 /-host-ip %s /')
`

// Volume is the folder of a volume.
func (e *Engine) Volume(name string) string { return filepath.Join(e.data, "volumes", name, "_data") }

// Fill leaves so many bytes of the engine's disk, until empty is called. The disk is one of StartAt's.
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
			break // somebody else was faster
		}
	}
	return func() { _ = os.Remove(path) }
}

// need skips the test, or fails it in CI, where a piece is missing.
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

// look finds a program, also where only root's PATH leads.
func look(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

// Run starts an engine that was stopped.
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
	x.SysProcAttr = endedBy(syscall.SIGTERM) // it ends containerd, and that what it runs
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

// Stop ends the engine, as a machine that shuts down does.
func (e *Engine) Stop() {
	if e.x == nil {
		return
	}
	_ = e.x.Process.Signal(syscall.SIGTERM)
	_ = e.x.Wait()
	e.x = nil
	detach(filepath.Join(e.dir, "exec", "netns", "default")) // the engine leaves it
}

// Dial connects to the engine as engine.Dialer does.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "unix", e.Socket)
}
