package operr

import (
	"errors"
	"strings"
)

// NextOf returns the next step of an error: the cure of an error in its chain, otherwise the outermost next step. "" if no error has one.
func NextOf(err error) string {
	if cure := CureOf(err); cure != "" {
		return cure
	}
	return first(err, func(e *Error) string { return e.Next })
}

// HasWayOn reports whether the next step of an error, as NextOf returns it, says how to continue or undo the run that failed.
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

// CureOf returns the next step from the Cure method of an error in the chain, or "". A cure does not depend on the command, and takes precedence over
// the next steps of outer errors. For example, no other command helps if a certificate is not accepted.
func CureOf(err error) string {
	var knows interface{ Cure() string }
	if errors.As(err, &knows) {
		return knows.Cure()
	}
	return ""
}

// AddCure returns err with a cure, which is a next step that does not depend on the command.
func AddCure(next string, err error) error { return &cured{error: err, next: next} }

type cured struct {
	error
	next string
}

func (c *cured) Unwrap() error { return c.error }
func (c *cured) Cure() string  { return c.next }

// DetailOf returns the outermost detail in an error's chain, or "".
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

// Join combines the obstacles that were found before anything was done into one error. It returns nil for none, and a single error unchanged. For
// several, the error is the given sentence, followed by a line with the next step for each.
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
