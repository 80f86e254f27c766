package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// Kind says what went wrong: errors.Is(err, engine.NotFound).
type Kind string

// What goes wrong.
const (
	NotFound     Kind = "not found"                  // no such container, image, network, volume; or the registry hides it
	Conflict     Kind = "conflict"                   // a name that is taken, an image that is used, a container in another state
	Invalid      Kind = "refused as invalid"         // what was asked makes no sense to the engine
	Unauthorized Kind = "unauthorized"               // the registry wants another login
	NoSpace      Kind = "no space left"              // on the engine's machine
	PortTaken    Kind = "port taken"                 // by somebody else on the engine's machine
	Unreachable  Kind = "not reachable"              // there was no connection, or it broke: what was asked may have been done, or not
	TimedOut     Kind = "no answer in time"          // as Unreachable, by the clock
	WrongArch    Kind = "not there for this machine" // an image that lacks the machine's platform
	TooOld       Kind = "too old"                    // the engine's newest API is older than ours
	Failed       Kind = "an error of the engine"     // what it says is all that is known
	Stopped      Kind = "stopped before its answer"  // by the caller's context
)

func (k Kind) Error() string { return string(k) }

// Error is what each call returns when it fails.
type Error struct {
	Kind  Kind
	Doing string // what was being done: "starting container X"
	Err   error  // what was seen
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Doing, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether the error is of a kind.
func (e *Error) Is(target error) bool { return target == error(e.Kind) }

// errLimit ends a call that took too long.
var errLimit = errors.New("the engine did not answer in time")

// dialError is a connection that was not made.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }

func (e *dialError) Unwrap() error { return e.err }

// brokenError is a connection that broke. What the system says of it has sockets of this machine in it, and tells a person nothing more.
type brokenError struct{ err error }

func (*brokenError) Error() string { return "the connection broke before the engine had answered" }

func (e *brokenError) Unwrap() error { return e.err }

func failed(ctx context.Context, err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	e := &Error{Kind: kindOf(ctx, err), Doing: fmt.Sprintf(doing, args...), Err: err}
	switch e.Kind {
	case TimedOut, Stopped:
		if cause := context.Cause(ctx); cause != nil {
			e.Err = cause
		}
	case Unreachable:
		e.Err = &brokenError{err: err}
		if dial := (*dialError)(nil); errors.As(err, &dial) {
			e.Err = dial.err
		}
	}
	return e
}

func kindOf(ctx context.Context, err error) Kind {
	var network net.Error
	switch {
	case errors.Is(context.Cause(ctx), errLimit), errors.Is(err, errLimit):
		return TimedOut
	case ctx.Err() != nil:
		return Stopped
	case errors.As(err, new(*dialError)), client.IsErrConnectionFailed(err), errors.As(err, &network),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return Unreachable
	}
	if kind := says(err); kind != "" {
		return kind
	}
	switch {
	case errdefs.IsNotFound(err):
		return NotFound
	case errdefs.IsConflict(err), errdefs.IsAlreadyExists(err):
		return Conflict
	case errdefs.IsUnauthorized(err), errdefs.IsPermissionDenied(err):
		return Unauthorized
	case errdefs.IsInvalidArgument(err):
		return Invalid
	}
	return Failed
}

// sentences are what engines say of things for which they have neither a status nor a code: the words are those of Go's own table of system
// errors, of the engine's table of ports, and of its pull. Where they are not found, the error is Failed, and a person reads what it says.
var sentences = map[string]Kind{
	syscall.ENOSPC.Error():      NoSpace,
	syscall.EDQUOT.Error():      NoSpace,
	syscall.EADDRINUSE.Error():  PortTaken,
	"port is already allocated": PortTaken,
	"no basic auth credentials": Unauthorized, // a registry that one has to log in to
	"unauthorized":              Unauthorized,
	"pull access denied":        Unauthorized,
	"no matching manifest for":  WrongArch,
}

func says(err error) Kind {
	text := err.Error()
	for sentence, kind := range sentences {
		if strings.Contains(text, sentence) {
			return kind
		}
	}
	return ""
}
