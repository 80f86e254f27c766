// Package operr defines the error type that users see. An error has the operation, its object, what was observed, and a next step.
//
// Every error that a target returns is an [Error], or is wrapped in one. Its text is one sentence. Mage prints it with %+v, which adds the detail
// (the last lines of a child process, a diff) and the next step on separate lines.
package operr

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// Exit statuses, which all targets share. Mage calls ExitStatus on the outermost error.
const (
	Failed  = 1 // something went wrong
	Usage   = 2 // the command line is wrong: an unknown name, a missing argument
	Stopped = 3 // nothing went wrong, but the user must decide first

	Interrupted = 130 // Ctrl-C, as in shells
)

// ErrDeclined is wrapped by the error of a question that the user answered with no. It is not a failure.
var ErrDeclined = errors.New("you said no")

// NewDeclined returns the error for the answer no. what is the result, such as "not released". The error has no next step, because the user chose to
// stop.
func NewDeclined(what string) *Error {
	return NewStopped("", "%s: %w; nothing was changed", what, ErrDeclined)
}

// ErrNobody is wrapped by the error of a question that could not be asked, for lack of a terminal.
var ErrNobody = errors.New("there is no terminal to ask at, and no -yes")

// NotAgreed rewrites the error of a question that was not answered with yes, for callers that changed something before the question. The new error
// reports what was not done, and the current state. If next is "", it keeps the old next step. NotAgreed returns all other errors unchanged.
func NotAgreed(err error, what, holds, next string) error {
	for _, why := range []error{ErrDeclined, ErrNobody} {
		if errors.Is(err, why) {
			return NewStopped(cmp.Or(next, NextOf(err)), "%s: %w; %s", what, why, holds).WithWayOn()
		}
	}
	return err
}

// Error is an error with a next step for the operator.
type Error struct {
	Summary string // one sentence, lower case, without a full stop
	Detail  string // further lines, already formatted; may be empty
	Next    string // what to do next, a sentence; may be empty
	Status  int    // exit status; 0 means the status of Err, or Failed
	WayOn   bool   // Next already says how to continue the run that failed, or how to undo it
	Err     error  // the cause; may be nil
}

// New returns an error with the exit status of what it wraps, or Failed. The format may use %w.
func New(next, format string, args ...any) *Error { return build(0, next, format, args) }

// NewUsage returns an error with exit status Usage: the command line names something that does not exist.
func NewUsage(next, format string, args ...any) *Error { return build(Usage, next, format, args) }

// NewStopped returns an error with exit status Stopped: the user must decide first.
func NewStopped(next, format string, args ...any) *Error { return build(Stopped, next, format, args) }

func build(status int, next, format string, args []any) *Error {
	err := fmt.Errorf(format, args...)
	cause := errors.Unwrap(err)
	if _, several := err.(interface{ Unwrap() []error }); several {
		cause = err
	}
	return &Error{Summary: err.Error(), Next: next, Status: status, Err: cause}
}

// WithDetail returns a copy of e that carries detail.
func (e *Error) WithDetail(detail string) *Error {
	c := *e
	c.Detail = strings.TrimRight(detail, "\n")
	return &c
}

// WithWayOn returns a copy of e that is marked as having a next step that continues or undoes the failed run, so that callers do not add a hint.
func (e *Error) WithWayOn() *Error {
	c := *e
	c.WayOn = true
	return &c
}

// WrapText returns a copy of e with its texts wrapped for a terminal. wrap gets each text as %+v prints it, with its prefix.
func (e *Error) WrapText(begins string, wrap func(text string) string) *Error {
	c := *e
	c.Summary = strings.TrimPrefix(wrap(begins+e.Summary), begins)
	c.Next = strings.TrimPrefix(wrap("→ "+e.Next), "→ ")
	c.Detail = strings.ReplaceAll(strings.TrimPrefix(wrap("  "+strings.ReplaceAll(e.Detail, "\n", "\n  ")), "  "), "\n  ", "\n")
	return &c
}

func (e *Error) Error() string { return e.Summary }

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus returns the status that Mage ends the process with.
func (e *Error) ExitStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return max(Failed, ExitStatus(e.Err))
}

// Format prints only the sentence with %v and %s, and the sentence, the detail and the next step with %+v.
func (e *Error) Format(f fmt.State, verb rune) {
	io.WriteString(f, e.Summary)
	if verb != 'v' || !f.Flag('+') {
		return
	}
	detail, next := DetailOf(e), NextOf(e)
	if detail != "" {
		io.WriteString(f, "\n  "+strings.ReplaceAll(detail, "\n", "\n  "))
	}
	if next != "" {
		io.WriteString(f, "\n→ "+next)
	}
}

// Count formats a number with a noun: "1 place", "2 places".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Abbreviate lists the first few paths, and counts the rest.
func Abbreviate(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// ExitStatus returns the exit status that err asks for: 0 for nil, Failed for an error without a status.
func ExitStatus(err error) int {
	if err == nil {
		return 0
	}
	var e interface{ ExitStatus() int }
	if errors.As(err, &e) {
		return e.ExitStatus()
	}
	return Failed
}

// FromPanic returns an error, with the stack, for a panic with value v. The caller can then fail normally and clean up. It must be called in the
// function that recovers.
func FromPanic(v any) *Error {
	return New("report this error, with the lines above: it is a bug in this program", "the program panicked: %v", v).WithDetail(string(debug.Stack()))
}
