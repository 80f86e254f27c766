// Package host reaches the Docker engine of another machine by the operator's OpenSSH: its configuration, agent and known hosts hold, and a
// host key is never taken unseen (host.go), nor is that of a jump host (options.go). One connection forwards the engine's socket to a short private
// folder (folder.go). What keeps it from being made is told by a type (error.go): ssh's sentences decide (says.go), and where ssh is silent, one look at the host (probe.go). A configuration that a repository carries says where hosts are, and nothing else (carried.go).
// A login that the environment gives, as that of a CI, is in files while ssh logs in, and no longer (login.go).
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

// Passed are the variables that ssh needs of those that other children do not get: names for command.Withhold to pass.
var Passed = []string{"SSH_AUTH_SOCK", "SSH_AGENT_PID"}

// SSH is how hosts are reached from here.
type SSH struct {
	Runner command.Runner
	Env    []string // of ssh: command.Withhold's, with Passed
	Config string   // an ssh_config, by its whole path; "" is the operator's
	Login  Login    // in place of the operator's keys and known hosts
}

// Host is a machine whose engine is reached. It may be used by several goroutines.
type Host struct {
	Name    string // as it was asked for
	Engine  *engine.Client
	Version engine.Version

	dir    *folder // with the forwarded socket
	config string  // for ssh; "" is the operator's
	stop   context.CancelFunc
	ended  chan struct{} // closed once ssh has ended
	err    error         // how it ended
}

// The engine's socket, where nothing else is said.
const standard = "/var/run/docker.sock"

// patience is how long ssh may take until the socket is forwarded: it has limits of its own for what it waits for.
const patience = time.Minute

// Connect reaches the engine of a host: USER@HOST[:PORT], or a name of ssh's configuration; socket is the engine's path there, "" the usual one.
// The error is an *Error with a next step. The caller closes the host; the connection also ends with ctx.
func (s SSH) Connect(ctx context.Context, address, socket string) (*Host, error) {
	if socket == "" {
		socket = standard
	}
	to, err := parse(address)
	if err != nil {
		return nil, err
	}
	if !plain.MatchString(socket) || socket[0] != '/' {
		return nil, operr.NewUsage("write its whole path, of letters, digits and /._+-", "%q is no path of an engine's socket", socket)
	}
	dir, err := newFolder()
	if err != nil {
		return nil, err
	}
	config, err := s.configured(ctx, to, dir.path)
	if err != nil {
		return nil, errors.Join(err, dir.remove())
	}
	defer s.Login.remove(dir.path) // whoever asks for it has asked by then
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

// open waits until ssh forwards the socket.
func (s SSH) open(ctx context.Context, h *Host, local string) error {
	wait := pause.Wait{What: "a connection to " + h.Name, First: 5 * time.Millisecond, Times: 1.5, Most: 50 * time.Millisecond, For: patience}
	_, err := wait.Until(ctx, func(ctx context.Context) (pause.Seen, error) {
		select {
		case <-h.ended:
			return pause.Seen{}, s.notConnected(h)
		default:
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", local) // the socket is there before ssh listens
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

// dial is how the engine is reached. A connection that cannot be made any more is Lost.
func (h *Host) dial(local string) engine.Dialer {
	return func(ctx context.Context) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", local)
		if err != nil && ctx.Err() == nil {
			return nil, failure(h.Name, Lost, "")
		}
		return conn, err
	}
}

// Close ends the connection, and waits until ssh has ended.
func (h *Host) Close() {
	_ = h.Engine.Close() // it ends what is idle, and has no error
	h.stop()
	<-h.ended
	_ = h.dir.remove() // a folder for temporary files
}

// command is ssh, told what we count on whatever the configuration says.
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

// destination is where ssh goes.
type destination struct {
	name string // [USER@]HOST
	port string
}

var (
	plain   = regexp.MustCompile(`^[A-Za-z0-9/._+-]+$`)
	address = regexp.MustCompile(`^(?:([A-Za-z0-9_.][A-Za-z0-9_.+-]*)@)?(?:([A-Za-z0-9_.][A-Za-z0-9_.-]*)|\[([0-9A-Fa-f:.]+)\])(?::([0-9]{1,5}))?$`)
)

// parse reads a host as a person writes it.
func parse(text string) (destination, error) {
	m := address.FindStringSubmatch(text)
	if m == nil {
		return destination{}, operr.NewUsage("write USER@HOST, USER@HOST:PORT, or a name of your ssh configuration", "%q is no host", text)
	}
	to := destination{name: m[2] + m[3], port: m[4]}
	if m[1] != "" {
		to.name = m[1] + "@" + to.name
	}
	return to, nil
}
