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

// Engine starts Debian's Docker engine, and returns its address for DOCKER_HOST. Containers use the host's network or none: the engine creates no
// bridge, and does not change the machine's firewall.
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
	state := filepath.Join(short, "exec") // also contains sockets
	x := exec.Command(dockerd, "--data-root", filepath.Join(b.Dir, "engine"), "--exec-root", state, "--pidfile", filepath.Join(short, "pid"),
		"--host", "unix://"+socket, "--iptables=false", "--bridge=none")
	x.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	x.Stdout, x.Stderr = log, log
	x.SysProcAttr = killWithParent(syscall.SIGTERM) // the engine stops containerd, which stops its containers
	require.NoError(t, x.Start())
	t.Cleanup(func() {
		_ = x.Process.Signal(syscall.SIGTERM)
		_ = x.Wait()
		detach(filepath.Join(state, "netns", "default")) // the engine does not unmount this
		log.Close()
	})
	host := "unix://" + socket
	require.Eventually(t, func() bool {
		ask := exec.Command("docker", "--host", host, "info")
		return ask.Run() == nil
	}, 5*time.Minute, 200*time.Millisecond, "the engine does not start: %s", log.Name())
	return host
}

// Docker runs a docker command on the engine at an address, and returns its output.
func (b *Bench) Docker(host string, args ...string) string {
	b.t.Helper()
	return strings.TrimSpace(b.Run("", "docker", append([]string{"--host", host}, args...)...))
}
