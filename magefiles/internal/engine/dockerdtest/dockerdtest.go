// Package dockerdtest runs Docker's own engine for tests (dockerdtest.go), with images out of one static program, from a registry on
// loopback (image.go). It needs root on Linux, and Debian's docker.io. CI as root has both; elsewhere a test that starts one is skipped, with
// the names of what is missing. It serves tests only.
package dockerdtest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
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
	x    *exec.Cmd
}

// Start starts an engine that has nothing. It ends with the test.
func Start(t testing.TB) *Engine {
	t.Helper()
	need(t)
	short, err := os.MkdirTemp("", "dk")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	e := &Engine{Socket: filepath.Join(short, "s"), t: t, dir: short, data: filepath.Join(t.TempDir(), "engine")}
	t.Cleanup(e.Stop)
	e.Run()
	return e
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
	x := exec.Command(dockerd, "--data-root", e.data, "--exec-root", filepath.Join(e.dir, "exec"), "--pidfile", filepath.Join(e.dir, "pid"),
		"--host", "unix://"+e.Socket, "--iptables=false", "--bridge=none")
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
