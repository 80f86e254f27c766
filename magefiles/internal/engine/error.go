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

// Kind is the kind of an error. It can be tested with errors.Is(err, engine.NotFound).
type Kind string

// Kinds of errors.
const (
	NotFound     Kind = "not found"                  // no such container, image, network or volume; or the registry hides it
	Conflict     Kind = "conflict"                   // a name or image is in use, or a container is in the wrong state
	Invalid      Kind = "refused as invalid"         // the engine rejects the request as invalid
	Unauthorized Kind = "unauthorized"               // the registry requires a different login
	NoSpace      Kind = "no space left"              // on the engine's machine
	PortTaken    Kind = "port taken"                 // by another program on the engine's machine
	Unreachable  Kind = "not reachable"              // the connection failed or broke; the request may have taken effect
	TimedOut     Kind = "no answer in time"          // the call timed out; the request may have taken effect
	WrongArch    Kind = "not there for this machine" // the image does not support the machine's platform
	TooOld       Kind = "too old"                    // the engine's newest API is older than 1.40
	Failed       Kind = "an error of the engine"     // any other error; only the engine's message is known
	Stopped      Kind = "stopped before its answer"  // the caller's context was canceled
)

func (k Kind) Error() string { return string(k) }

// Error is the type of all errors that calls return.
type Error struct {
	Kind  Kind
	Doing string // the operation, such as "starting container X"
	Err   error  // underlying error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Doing, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the error's Kind.
func (e *Error) Is(target error) bool { return target == error(e.Kind) }

// errLimit is the cause of a call's timeout.
var errLimit = errors.New("the engine did not answer in time")

// dialError is a failure to connect.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }

func (e *dialError) Unwrap() error { return e.err }

// brokenError is a broken connection. It hides the system's message, which names local sockets and is not helpful to users.
type brokenError struct{ err error }

func (*brokenError) Error() string { return "the connection broke before the engine had answered" }

func (e *brokenError) Unwrap() error { return e.err }

func failure(ctx context.Context, err error, doing string, args ...any) error {
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

// sentences maps parts of engine messages to kinds, for errors that have neither a status nor a code. They come from Go's table of system errors,
// from the engine's port allocator, and from pulls. Errors that match none are Failed, and users see the message.
var sentences = map[string]Kind{
	syscall.ENOSPC.Error():      NoSpace,
	syscall.EDQUOT.Error():      NoSpace,
	syscall.EADDRINUSE.Error():  PortTaken,
	"port is already allocated": PortTaken,
	"no basic auth credentials": Unauthorized, // the registry requires a login
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
