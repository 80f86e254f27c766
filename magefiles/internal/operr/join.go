package operr

import (
	"errors"
	"strings"
)

// NextOf is the next step of an error: the cure that an error in its chain has, or else the outermost next step. "" where none has one.
func NextOf(err error) string {
	if cure := CureOf(err); cure != "" {
		return cure
	}
	return first(err, func(e *Error) string { return e.Next })
}

// HasWayOn reports whether the next step of an error, which is NextOf, says how to go on with what was under way, or how to take it back.
func HasWayOn(err error) bool {
	if CureOf(err) != "" {
		return false
	}
	var e *Error
	for ; errors.As(err, &e); err = e.Err {
		if e.Next != "" {
			return e.WayOn
		}
	}
	return false
}

// CureOf is the next step that holds whatever was being done: of an error in the chain that knows better than those around it,
// by its method Cure. A certificate that is not accepted, for example, is not cured by running it again. "" where none has one.
func CureOf(err error) string {
	var knows interface{ Cure() string }
	if errors.As(err, &knows) {
		return knows.Cure()
	}
	return ""
}

// Cured is err with a cure: a next step that holds whatever was being done.
func Cured(next string, err error) error { return &cured{error: err, next: next} }

type cured struct {
	error
	next string
}

func (c *cured) Unwrap() error { return c.error }
func (c *cured) Cure() string  { return c.next }

// DetailOf is the detail of an error: the outermost one in its chain. "" where none has one.
func DetailOf(err error) string { return first(err, func(e *Error) string { return e.Detail }) }

func first(err error, of func(*Error) string) string {
	var e *Error
	for ; errors.As(err, &e); err = e.Err {
		if text := of(e); text != "" {
			return text
		}
	}
	return ""
}

// Join is the error for everything that is in the way, where all of it is found before anything is done: nil for nothing, the
// one thing itself, or else the sentence given, with a line for each thing and its own next step.
func Join(found []*Error, next, format string, args ...any) error {
	switch len(found) {
	case 0:
		return nil
	case 1:
		return found[0]
	}
	var lines []string
	for _, f := range found {
		line := "✗ " + f.Summary
		if step := NextOf(f); step != "" {
			line += " → " + step
		}
		if detail := DetailOf(f); detail != "" {
			line += "\n  " + strings.ReplaceAll(detail, "\n", "\n  ")
		}
		lines = append(lines, line)
	}
	return New(next, format, args...).WithDetail(strings.Join(lines, "\n"))
}
