// Package host connects to the Docker engine on another machine through the operator's OpenSSH client, with the operator's configuration, agent and
// known hosts. It never accepts an unknown host key (host.go), including a jump host's (options.go). Each connection forwards the engine's socket
// to a private folder with a short path (folder.go). Errors have a cause (error.go), which is derived from ssh's messages (says.go) or, if there
// are none, from a probe on the host (probe.go). A configuration in a repository may only define how hosts are reached (carried.go). A login from
// the environment, as in CI, is stored in files only while ssh logs in (login.go).
package host

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"regexp"
	"time"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Passed lists the variables that ssh needs but other child processes do not get. They are for command.Withhold.
var Passed = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID"}

// SSH configures how hosts are reached.
type SSH struct {
	Runner command.Runner
	Env    []string // environment for ssh: the result of command.Withhold with Passed
	Config string   // absolute path of an ssh_config; "" uses the operator's
	Login  Login    // replaces the operator's keys and known hosts
}

// Host is a connection to a machine's engine. It is safe for concurrent use.
type Host struct {
	Name    string // address as passed to Connect
	Engine  *engine.Client
	Version engine.Version

	dir    *folder // contains the forwarded socket
	config string  // ssh's configuration file; "" for the operator's
	stop   context.CancelFunc
	ended  chan struct{} // closed when ssh has exited
	err    error         // ssh's error, valid after ended is closed
}

// standard is the default path of the engine's socket.
const standard = "/var/run/docker.sock"

// patience limits how long ssh may take to forward the socket. ssh has its own timeouts for individual steps.
const patience = time.Minute

// Connect connects to a host's engine. address is USER@HOST[:PORT], or a name in ssh's configuration. socket is the path of the engine's socket on
// the host; "" for the default. Errors are *Error with a next step. The caller must close the host. The connection is also closed when ctx is
// canceled.
func (s SSH) Connect(ctx context.Context, address, socket string) (*Host, error) {
	if socket == "" {
		socket = standard
	}
	to, err := parse(address)
	if err != nil {
		return nil, err
	}
	if !plain.MatchString(socket) || socket[0] != '/' {
		return nil, operr.NewUsage("write the socket's full path, with only letters, digits and /._+-", "%q is not a valid path of an engine's socket", socket)
	}
	dir, err := newFolder()
	if err != nil {
		return nil, err
	}
	config, err := s.configPath(ctx, to, dir.path)
	if err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	defer s.Login.remove(dir.path) // ssh has read it at this point
	ctx, stop := context.WithCancel(ctx)
	h := &Host{Name: address, dir: dir, config: config, stop: stop, ended: make(chan struct{})}
	local := filepath.Join(dir.path, "s")
	go func() {
		h.err = s.Runner.Run(ctx, s.command(to, config, []string{"-N", "-T", "-oLocalForward=" + local + " " + socket}, nil))
		close(h.ended)
	}()
	h.Engine = engine.New(h.dial(local))
	if err := s.open(ctx, h, local); err != nil {
		h.Close()
		return nil, err
	}
	h.Version, err = h.Engine.Ping(ctx)
	if err != nil {
		err = s.explain(ctx, h, to, socket, err)
		h.Close()
		return nil, err
	}
	return h, nil
}

// `open` waits until ssh has forwarded the socket.
func (s SSH) open(ctx context.Context, h *Host, local string) error {
	wait := pause.Wait{What: "a connection to " + h.Name, First: 5 * time.Millisecond, Times: 1.5, Most: 50 * time.Millisecond, For: patience}
	_, err := wait.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		select {
		case <-h.ended:
			return pause.Seen{}, s.notConnected(h)
		default:
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", local) // the socket exists before ssh listens on it
		if err == nil {
			err = conn.Close()
		}
		return pause.Seen{Done: err == nil, Says: "ssh has not logged in yet"}, nil
	})
	if errors.Is(err, pause.ErrOver) {
		return failure(h.Name, NoAnswer, "")
	}
	return err
}

// dial returns a dialer for the forwarded socket. If the connection to the host is gone, its error is Lost.
func (h *Host) dial(local string) engine.Dialer {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", local)
		if err != nil && ctx.Err() == nil {
			return nil, failure(h.Name, Lost, "")
		}
		return conn, err
	}
}

// Close closes the connection, and waits until ssh has exited.
func (h *Host) Close() {
	_ = h.Engine.Close() // only closes idle connections, and always returns nil
	h.stop()
	<-h.ended
	_ = h.dir.remove() // temporary, so a failure does not matter
}

// command returns an ssh command with the options that override any configuration.
func (s SSH) command(to destination, config string, args, remote []string) command.Cmd {
	all := []string{"-oExitOnForwardFailure=no", "-oStreamLocalBindUnlink=yes", "-oStreamLocalBindMask=0177"}
	for _, option := range options {
		all = append(all, "-o"+option)
	}
	if config != "" {
		all = append(all, "-F", config)
	}
	if to.port != "" {
		all = append(all, "-oPort="+to.port)
	}
	all = append(all, args...)
	all = append(all, "--", to.name)
	return command.Cmd{Name: "ssh", Args: append(all, remote...), Env: command.Setenv(s.Env, "LC_ALL=C"), Limited: true}
}

// destination is the host that ssh connects to.
type destination struct {
	name string // [USER@]HOST
	port string
}

var (
	plain   = regexp.MustCompile(`^[A-Za-z0-9/._+-]+$`)
	address = regexp.MustCompile(`^(?:([A-Za-z0-9_.][A-Za-z0-9_.+-]*)@)?(?:([A-Za-z0-9_.][A-Za-z0-9_.-]*)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{1,5}))?$`)
)

// parse parses an address given by the user.
func parse(text string) (destination, error) {
	m := address.FindStringSubmatch(text)
	if m == nil {
		return destination{}, operr.NewUsage("write USER@HOST, USER@HOST:PORT, or a name of your ssh configuration", "%q is not a valid host", text)
	}
	to := destination{name: m[2] + m[3], port: m[4]}
	if m[1] != "" {
		to.name = m[1] + "@" + to.name
	}
	return to, nil
}
