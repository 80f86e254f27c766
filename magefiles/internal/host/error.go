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

// Cause is why a host's engine is not reached: errors.Is(err, host.NoSocket).
type Cause string

// The causes.
const (
	NoSSH       Cause = "no ssh"              // it is not installed here
	BadConfig   Cause = "bad configuration"   // ssh does not understand its own
	UnknownName Cause = "unknown name"        // the name leads to no address
	NoRoute     Cause = "no route"            // the network does not lead there
	Refused     Cause = "refused"             // nobody listens there
	NoAnswer    Cause = "no answer"           // somebody, or nobody, says nothing
	KeyUnknown  Cause = "unknown host key"    // it was never seen
	KeyChanged  Cause = "changed host key"    // another one was seen
	NoLogin     Cause = "login refused"       //
	NoSocket    Cause = "no such socket"      // on the host
	NoRight     Cause = "no right to socket"  // the user may not use it
	NoEngine    Cause = "no engine at socket" // nobody listens at it
	Forbidden   Cause = "forwarding forbidden"
	OldEngine   Cause = "engine too old"
	Lost        Cause = "connection lost" // it was there
	Unexplained Cause = "unexplained"     // ssh's own words are all that is known
)

func (c Cause) Error() string { return string(c) }

// Error is why a host's engine is not reached.
type Error struct {
	Host  string
	Cause Cause
}

func (e *Error) Error() string { return fmt.Sprintf(explained[e.Cause].says, e.Host) }

// Is reports whether the error has a cause.
func (e *Error) Is(target error) bool { return target == error(e.Cause) }

// explained has a sentence for each cause, with the host's name in it, and what to do about it.
var explained = map[Cause]struct{ says, next string }{
	NoSSH:       {"%s cannot be reached: there is no ssh here", "install OpenSSH's client"},
	BadConfig:   {"%s cannot be reached: ssh does not understand its configuration", "put it right; `ssh -G HOST` reads it"},
	UnknownName: {"%s leads to no address", "see how the host is written, and whether this network knows its name"},
	NoRoute:     {"%s cannot be reached from this network", "see whether a VPN, or a jump host in your ssh configuration, is needed"},
	Refused:     {"%s refuses connections: nobody listens at ssh's port", "see that the machine runs sshd, and at which port"},
	NoAnswer:    {"%s does not answer", "see that the machine is up, and that no firewall is in between"},
	KeyUnknown:  {"the host key of %s is not known here", "compare its fingerprint, and log in once by `ssh` to have it in known_hosts"},
	KeyChanged:  {"%s has another host key than it had: it is another machine, or somebody is in between", "find out why; only then `ssh-keygen -R` its name and log in once"},
	NoLogin:     {"%s refuses the login", "see that your key is there, and in your agent (`ssh-add -l`), and that the user is right"},
	NoSocket:    {"%s has no engine's socket at the path that is asked for, or its folder is closed to the user", "install Docker there, or say by `socket` where a rootless engine has it"},
	NoRight:     {"the user has no right to the engine of %s", "put the user into the group docker there, and log in anew"},
	NoEngine:    {"the engine of %s does not run: nobody listens at its socket", "start it there: `systemctl start docker`"},
	Forbidden:   {"the sshd of %s forbids forwarding the engine's socket", "allow it there for this user: `AllowStreamLocalForwarding yes`, and no `DisableForwarding` or `restrict`"},
	OldEngine:   {"the engine of %s is older than API 1.40", "upgrade it to Docker 19.03 or later"},
	Lost:        {"the connection to %s was lost", "see that the machine is up, and run it again"},
	Unexplained: {"ssh does not connect to %s", "run `ssh -v` to it"},
}

// failure is an *Error with its next step, and what was said.
func failure(host string, cause Cause, said string) error {
	return operr.New(explained[cause].next, "%w", &Error{Host: host, Cause: cause}).WithDetail(strings.ReplaceAll(said, "\r", "")) // ssh ends its lines as a terminal wants them
}

// notConnected explains the end of an ssh that had not connected.
func (s SSH) notConnected(h *Host) error {
	if errors.Is(h.err, command.ErrNotFound) {
		return failure(h.Name, NoSSH, "")
	}
	var exit *command.ExitError
	if errors.As(h.err, &exit) {
		return failure(h.Name, causeOf(exit.Tail), s.theirsIn(h.dir.path, exit.Tail))
	}
	if h.err != nil {
		return h.err // it was stopped
	}
	return failure(h.Name, Unexplained, "")
}

// explain says why an engine is not reached over a connection that stands.
func (s SSH) explain(ctx context.Context, h *Host, to destination, socket string, err error) error {
	switch {
	case errors.Is(err, engine.TooOld):
		return failure(h.Name, OldEngine, "")
	case !errors.Is(err, engine.Unreachable):
		return operr.New("see what the engine's log says there", "the engine of %s: %w", h.Name, err)
	}
	select {
	case <-h.ended:
		return s.notConnected(h)
	default:
	}
	return failure(h.Name, s.probe(ctx, to, h.config, socket), err.Error())
}
