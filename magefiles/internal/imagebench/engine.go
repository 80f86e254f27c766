package imagebench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"
)

// Engine starts a Docker engine, Debian's, and returns its address, as DOCKER_HOST has it. Containers get this machine's
// network, or none: it makes no bridge, and leaves the machine's firewall alone.
func (b *Bench) Engine() string {
	t := b.t
	dockerd, err := look("dockerd")
	require.NoError(t, err)
	short, err := os.MkdirTemp("", "dk")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(short) })
	socket := filepath.Join(short, "s")
	log, err := os.Create(filepath.Join(b.Dir, "dockerd.log"))
	require.NoError(t, err)
	state := filepath.Join(short, "exec") // sockets too
	x := exec.Command(dockerd, "--data-root", filepath.Join(b.Dir, "engine"), "--exec-root", state, "--pidfile", filepath.Join(short, "pid"),
		"--host", "unix://"+socket, "--iptables=false", "--bridge=none")
	x.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	x.Stdout, x.Stderr = log, log
	x.SysProcAttr = endedBy(syscall.SIGTERM) // it ends containerd, and that what it runs
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		_ = x.Wait()
		detach(filepath.Join(state, "netns", "default")) // the engine leaves it
		log.Close()
	})
	host := "unix://" + socket
	require.Eventually(t, func() bool {
		ask := exec.Command("docker", "--host", host, "info")
		return ask.Run() == nil
	}, 5*time.Minute, 200*time.Millisecond, "the engine does not start: %s", log.Name())
	return host
}

// Docker asks the engine at an address.
func (b *Bench) Docker(host string, args ...string) string {
	b.t.Helper()
	return strings.TrimSpace(b.Run("", "docker", append([]string{"--host", host}, args...)...))
}
