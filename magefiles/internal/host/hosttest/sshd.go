package hosttest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	gossh "golang.org/x/crypto/ssh"
)

// Sshd is OpenSSH's server, isolated like a separate machine: it sees only its own processes, and the engine's default socket is mapped to a given
// one. One key is authorized, for root.
type Sshd struct {
	Addr netip.AddrPort

	t      testing.TB
	socket string
	config string // path of sshd_config
	text   string // text of sshd_config
	log    string
	key    gossh.PublicKey // host key
	client ed25519.PrivateKey
	x      *exec.Cmd
}

// machine starts sshd in a namespace in which /run contains only the socket and what sshd needs. Outside, nothing changes.
const machine = `mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/sshd && ln -s "$1" /run/docker.sock && exec "$2" -D -e -f "$3"`

// StartSshd starts a server on a free port of a loopback address. For logged-in users, the engine's default socket is mapped to `socket`. It
// requires root and Debian's openssh-server. Without them, the test is skipped, or fails in CI as root. The server stops when the test ends.
func StartSshd(t testing.TB, at netip.Addr, socket string) *Sshd {
	t.Helper()
	if _, err := sshd(); err != nil || os.Geteuid() != 0 || runtime.GOOS != "linux" {
		reason := "OpenSSH's server runs as root on Linux, and is in Debian's openssh-server"
		require.False(t, os.Getenv("CI") != "" && os.Geteuid() == 0, reason)
		t.Skip(reason)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	_, client, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ours, err := gossh.NewSignerFromKey(client)
	require.NoError(t, err)
	signer, err := gossh.NewSignerFromKey(key)
	require.NoError(t, err)
	block, err := gossh.MarshalPrivateKey(key, "")
	require.NoError(t, err)
	free, err := net.Listen("tcp", netip.AddrPortFrom(at, 0).String())
	require.NoError(t, err)
	require.NoError(t, free.Close())
	dir := t.TempDir()
	s := &Sshd{
		Addr:   netip.MustParseAddrPort(free.Addr().String()),
		t:      t,
		socket: socket,
		config: filepath.Join(dir, "sshd_config"),
		log:    filepath.Join(dir, "log"),
		key:    signer.PublicKey(),
		client: client,
	}
	s.text = fmt.Sprintf("ListenAddress %s\nHostKey \"%s/key\"\nAuthorizedKeysFile \"%s/authorized_keys\"\nPidFile none\nStrictModes no\nUsePAM no\n"+
		"PermitRootLogin prohibit-password\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 100\n", s.Addr, dir, dir)
	for name, text := range map[string]string{
		"key":             string(pem.EncodeToMemory(block)),
		"authorized_keys": string(gossh.MarshalAuthorizedKey(ours.PublicKey())),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	t.Cleanup(s.Stop)
	s.Run()
	return s
}

// sshd returns the program's absolute path, which sshd requires. Only root's PATH contains its folder.
func sshd() (string, error) {
	if path, err := exec.LookPath("sshd"); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/sshd")
}

// Run starts a stopped server on the same port. first contains lines for the start of its configuration, which take precedence.
func (s *Sshd) Run(first ...string) {
	s.t.Helper()
	program, err := sshd()
	require.NoError(s.t, err)
	require.NoError(s.t, os.WriteFile(s.config, []byte(strings.Join(append(first, s.text), "\n")), 0o600))
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(s.t, err)
	defer log.Close()
	x := exec.Command("sh", "-c", machine, "sh", s.socket, program, s.config)
	x.Stdout, x.Stderr = log, log
	x.SysProcAttr = ownNamespaces()
	require.NoError(s.t, x.Start())
	s.x = x
	require.Eventually(s.t, func() bool {
		conn, err := net.Dial("tcp", s.Addr.String())
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, 30*time.Second, 20*time.Millisecond, "sshd does not start: %s", s.log)
}

// Stop kills the server and all connections, as if the machine disappeared.
func (s *Sshd) Stop() {
	if s.x == nil {
		return
	}
	_ = s.x.Process.Kill() // the namespace's init process, so the others are killed too
	_ = s.x.Wait()
	s.x = nil
}

func (s *Sshd) login() login {
	return login{addr: s.Addr.String(), user: "root", key: s.key, client: s.client}
}
