// Package operr is the operator's error: what was being done, to what, what was seen, and what to do next.
//
// Every error that reaches a person is one of these, or is wrapped by one in the target that returns it. Its text is
// one sentence; the detail (the last lines of a child process, a diff) and the next step stand on lines of their own
// when the error is printed with %+v, which is what Mage does.
package operr

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
)

// The exit statuses of every target. Mage takes them from ExitStatus of the outermost error.
const (
	Failed  = 1 // something went wrong
	Usage   = 2 // the command line is wrong: an unknown name, a missing argument
	Stopped = 3 // nothing went wrong, but a person has to decide before it goes on

	Interrupted = 130 // Ctrl-C, as shells have it
)

// ErrDeclined is in the chain of an error where a person was asked and said no: that is an answer, and nothing went wrong.
var ErrDeclined = errors.New("you said no")

// NewDeclined is the error for a no. what is what was not done: "not released". It has no next step: who says no does not want one.
func NewDeclined(what string) *Error {
	return NewStopped("", "%s: %w; nothing was changed", what, ErrDeclined)
}

// Error is an error with a next step for the operator.
type Error struct {
	Summary string // one sentence, lower case, without a full stop
	Detail  string // further lines, already formatted; may be empty
	Next    string // what to do next, a sentence; may be empty
	Status  int    // exit status; 0 stands for the status of Err, or Failed
	WayOn   bool   // Next says already how the run that has failed is gone on with, or taken back
	Err     error  // the cause; may be nil
}

// New returns an error with the exit status of what it wraps, or Failed. The format may use %w.
func New(next, format string, args ...any) *Error { return build(0, next, format, args) }

// NewUsage returns an error with exit status Usage: the command line named something that is not there.
func NewUsage(next, format string, args ...any) *Error { return build(Usage, next, format, args) }

// NewStopped returns an error with exit status Stopped: a person has to decide first.
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

// WithWayOn returns a copy of e whose next step says how to go on with what was under way, or how to take it back: nothing is to be added.
func (e *Error) WithWayOn() *Error {
	c := *e
	c.WayOn = true
	return &c
}

// Wrapped returns a copy of e whose texts are broken for a terminal: wrap is given each of them as it is going to stand there with %+v, behind
// what the line begins with.
func (e *Error) Wrapped(begins string, wrap func(text string) string) *Error {
	c := *e
	c.Summary = strings.TrimPrefix(wrap(begins+e.Summary), begins)
	c.Next = strings.TrimPrefix(wrap("→ "+e.Next), "→ ")
	c.Detail = strings.ReplaceAll(strings.TrimPrefix(wrap("  "+strings.ReplaceAll(e.Detail, "\n", "\n  ")), "  "), "\n  ", "\n")
	return &c
}

func (e *Error) Error() string { return e.Summary }

func (e *Error) Unwrap() error { return e.Err }

// ExitStatus is read by Mage, which ends the process with it.
func (e *Error) ExitStatus() int {
	if e.Status != 0 {
		return e.Status
	}
	return max(Failed, ExitStatus(e.Err))
}

// Format prints the sentence alone with %v and %s, and the sentence, the detail and the next step with %+v.
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

// Count writes a number of things, in errors and elsewhere: "1 place", "2 places".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Some names the first of several paths.
func Some(paths []string) string {
	if len(paths) == 1 {
		return paths[0]
	}
	return fmt.Sprintf("%s and %d more", paths[0], len(paths)-1)
}

// ExitStatus returns the exit status that err asks for: 0 for nil, and Failed for an error that asks for none.
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

// Panicked is the error of a part of a run that panicked with v, with the stack: it has failed as other parts do, and what was made for
// the run is taken away. It is called in the function that recovers.
func Panicked(v any) *Error {
	return New("report it, with the lines above: it is a mistake of this program", "it panicked: %v", v).WithDetail(string(debug.Stack()))
}
