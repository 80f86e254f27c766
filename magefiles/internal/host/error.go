package host

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/engine"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Cause is the reason why a host's engine cannot be reached. It can be tested with errors.Is(err, host.NoSocket).
type Cause string

// Causes.
const (
	NoSSH       Cause = "no ssh"              // ssh is not installed on this machine
	BadConfig   Cause = "bad configuration"   // ssh rejects its configuration
	UnknownName Cause = "unknown name"        // the name cannot be resolved
	NoRoute     Cause = "no route"            // the host is unreachable from this network
	Refused     Cause = "refused"             // nothing listens on the ssh port
	NoAnswer    Cause = "no answer"           // the connection timed out
	KeyUnknown  Cause = "unknown host key"    // the host key is not in known_hosts
	KeyChanged  Cause = "changed host key"    // the host key differs from known_hosts
	NoLogin     Cause = "login refused"       //
	NoSocket    Cause = "no such socket"      // the socket does not exist on the host
	NoRight     Cause = "no right to socket"  // the user has no access to the socket
	NoEngine    Cause = "no engine at socket" // nothing listens on the socket
	Forbidden   Cause = "forwarding forbidden"
	OldEngine   Cause = "engine too old"
	Lost        Cause = "connection lost" // an established connection broke
	Unexplained Cause = "unexplained"     // any other error; only ssh's message is known
)

func (c Cause) Error() string { return string(c) }

// Error indicates that a host's engine cannot be reached.
type Error struct {
	Host  string
	Cause Cause
}

func (e *Error) Error() string { return fmt.Sprintf(explained[e.Cause].says, e.Host) }

// Is reports whether target is the error's Cause.
func (e *Error) Is(target error) bool { return target == error(e.Cause) }

// explained maps each cause to a sentence with a placeholder for the host, and the next step.
var explained = map[Cause]struct{ says, next string }{
	NoSSH:       {"%s cannot be reached: this machine has no program ssh", "install OpenSSH's client"},
	BadConfig:   {"%s cannot be reached: ssh cannot read its configuration", "correct your ssh configuration; `ssh -G HOST` checks the configuration"},
	UnknownName: {"the name %s has no address", "check the spelling of the host, and whether this network resolves its name"},
	NoRoute:     {"%s cannot be reached from this network", "check whether you need a VPN, or a jump host in your ssh configuration"},
	Refused:     {"%s refuses connections, because nothing listens on the port of ssh", "check that the machine runs sshd, and on which port"},
	NoAnswer:    {"%s does not answer", "check that the machine is up, and that no firewall blocks the connection"},
	KeyUnknown:  {"the host key of %s is not in known_hosts", "log in once with `ssh HOST`, and compare the fingerprint that ssh shows; ssh then adds the key to known_hosts"},
	KeyChanged:  {"the host key of %s has changed: either the machine is a different one, or someone intercepts the connection", "find out why the key changed; only then run `ssh-keygen -R HOST`, and log in once"},
	NoLogin:     {"%s refuses the login", "check that the host has your key, that your agent has the key (`ssh-add -l`), and that the user's name is right"},
	NoSocket:    {"%s has no engine's socket at the configured path, or the user may not read the socket's folder", "install Docker on the host, or set `socket` to the path of a rootless engine's socket"},
	NoRight:     {"the user may not use the engine of %s", "add the user to the group docker on the host, and log in again"},
	NoEngine:    {"the engine of %s does not run: nothing listens on its socket", "start the engine on the host with `systemctl start docker`"},
	Forbidden:   {"the sshd of %s forbids forwarding the engine's socket", "allow forwarding for this user on the host: `AllowStreamLocalForwarding yes`, and no `DisableForwarding` or `restrict`"},
	OldEngine:   {"the engine of %s is older than API 1.40", "upgrade the host to Docker 19.03 or later"},
	Lost:        {"the connection to %s was lost", "check that the machine is up, and run the command again"},
	Unexplained: {"ssh does not connect to %s", "run `ssh -v HOST`, and correct the error that it prints"},
}

// failure returns an *Error with its next step. ssh's output is the detail.
func failure(host string, cause Cause, said string) error {
	return operr.New(explained[cause].next, "%w", &Error{Host: host, Cause: cause}).WithDetail(strings.ReplaceAll(said, "\r", "")) // ssh uses CRLF
}

// notConnected returns the error for an ssh process that exited before connecting.
func (s SSH) notConnected(h *Host) error {
	if errors.Is(h.err, command.ErrNotFound) {
		return failure(h.Name, NoSSH, "")
	}
	var exit *command.ExitError
	if errors.As(h.err, &exit) {
		return failure(h.Name, causeOf(exit.Tail), s.replaceConfigPath(h.dir.path, exit.Tail))
	}
	if h.err != nil {
		return h.err // ssh was stopped
	}
	return failure(h.Name, Unexplained, "")
}

// explain finds out why an engine cannot be reached although ssh has connected.
func (s SSH) explain(ctx context.Context, h *Host, to destination, socket string, err error) error {
	switch {
	case errors.Is(err, engine.TooOld):
		return failure(h.Name, OldEngine, "")
	case !errors.Is(err, engine.Unreachable):
		return operr.New("look at the engine's log on the host", "the engine of %s: %w", h.Name, err)
	}
	select {
	case <-h.ended:
		return s.notConnected(h)
	default:
	}
	return failure(h.Name, s.probe(ctx, to, h.config, socket), err.Error())
}
