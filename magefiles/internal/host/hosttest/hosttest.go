// Package hosttest provides machines with ssh access for tests: an in-process server that forwards sockets and runs commands (hosttest.go),
// OpenSSH's own server (sshd.go), and a client configuration for both (config.go).
package hosttest

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os/exec"
	"sync"
	"syscall"
	"testing"

	"github.com/gliderlabs/ssh"
	"github.com/stretchr/testify/require"
	gossh "golang.org/x/crypto/ssh"
)

// Server is a running ssh server with one authorized key.
type Server struct {
	Addr string // HOST:PORT on loopback

	server  *ssh.Server
	key     gossh.Signer // host key
	client  ed25519.PrivateKey
	sockets map[string]string

	mu      sync.Mutex
	forbids bool
	nobody  bool
}

// Start starts a server that maps the engine's default socket to `socket`. It stops when the test ends.
func Start(t testing.TB, socket string) *Server {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := gossh.NewSignerFromKey(key)
	require.NoError(t, err)
	_, client, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	ours, err := gossh.NewSignerFromKey(client)
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &Server{
		Addr:    listener.Addr().String(),
		key:     signer,
		client:  client,
		sockets: map[string]string{"/var/run/docker.sock": socket},
	}
	s.server = &ssh.Server{
		Handler:          s.run,
		HostSigners:      []ssh.Signer{signer},
		PublicKeyHandler: func(_ ssh.Context, key ssh.PublicKey) bool { return ssh.KeysEqual(key, ours.PublicKey()) },
		ChannelHandlers: map[string]ssh.ChannelHandler{
			"session":                        ssh.DefaultSessionHandler,
			"direct-streamlocal@openssh.com": s.forward,
			"direct-tcpip":                   ssh.DirectTCPIPHandler, // lets the server act as a jump host
		},
		LocalPortForwardingCallback: func(ssh.Context, string, uint32) bool { return true },
	}
	go func() { _ = s.server.Serve(listener) }()
	t.Cleanup(func() { _ = s.server.Close() })
	return s
}

func (s *Server) login() login {
	return login{addr: s.Addr, user: "deployer", key: s.key.PublicKey(), client: s.client}
}

// Forbid sets whether socket forwarding is forbidden.
func (s *Server) Forbid(forbids bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forbids = forbids
}

// RunAsNobody runs all later commands as the user "nobody", and forbids forwarding, because that user cannot access the socket. It requires root.
func (s *Server) RunAsNobody() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forbids, s.nobody = true, true
}

// Close stops the server and all connections, as if the machine disappeared.
func (s *Server) Close() { _ = s.server.Close() }

// run runs a command in a login shell.
func (s *Server) run(session ssh.Session) {
	x := exec.CommandContext(session.Context(), "sh", "-c", session.RawCommand())
	x.Stdin, x.Stdout, x.Stderr, x.Dir = session, session, session.Stderr(), "/"
	s.mu.Lock()
	if s.nobody {
		x.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	s.mu.Unlock()
	err := x.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		_ = session.Exit(exit.ExitCode())
	case err != nil:
		_ = session.Exit(127)
	default:
		_ = session.Exit(0)
	}
}

// `forward` forwards a channel to a socket.
func (s *Server) forward(_ *ssh.Server, _ *gossh.ServerConn, channel gossh.NewChannel, _ ssh.Context) {
	var q struct {
		Path, Reserved string
		Number         uint32
	}
	if err := gossh.Unmarshal(channel.ExtraData(), &q); err != nil {
		_ = channel.Reject(gossh.ConnectionFailed, "open failed")
		return
	}
	s.mu.Lock()
	forbids := s.forbids
	path, known := s.sockets[q.Path]
	s.mu.Unlock()
	if !known {
		path = q.Path
	}
	to, err := net.Dial("unix", path)
	if forbids || err != nil { // sshd's response is the same in both cases
		if err == nil {
			_ = to.Close()
		}
		_ = channel.Reject(gossh.ConnectionFailed, "open failed")
		return
	}
	from, requests, err := channel.Accept()
	if err != nil {
		_ = to.Close()
		return
	}
	go gossh.DiscardRequests(requests)
	go func() {
		defer to.Close()
		defer from.Close()
		join(from, to.(*net.UnixConn))
	}()
}

// half is a connection that can be closed in one direction, which marks the end of the input on connections that an engine hijacks.
type half interface {
	io.ReadWriter
	CloseWrite() error
}

// join copies in both directions until both have ended.
func join(a, b half) {
	var both sync.WaitGroup
	for _, way := range [][2]half{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0])
			_ = way[1].CloseWrite()
		})
	}
	both.Wait()
}
