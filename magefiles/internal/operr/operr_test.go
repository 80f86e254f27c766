package operr_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

func TestSentenceDetailAndNextStep(t *testing.T) {
	cause := errors.New("no space left")
	err := operr.New("make room", "writing %s: %w", "a.toml", cause).WithDetail("line 1\nline 2\n")
	require.EqualError(t, err, "writing a.toml: no space left")
	require.ErrorIs(t, err, cause)
	require.Equal(t, "writing a.toml: no space left", fmt.Sprintf("%v", err))
	require.Equal(t, "writing a.toml: no space left\n  line 1\n  line 2\n→ make room", fmt.Sprintf("%+v", err))
}

// Errors around an operator's error keep its detail, its next step and its exit status.
func TestWrapping(t *testing.T) {
	inner := operr.NewUsage("choose one", "no package named %q", "x").WithDetail("there is y")
	outer := operr.New("", "building: %w", fmt.Errorf("first: %w", inner))
	outer.Status = 0
	require.Equal(t, "building: first: no package named \"x\"\n  there is y\n→ choose one", fmt.Sprintf("%+v", outer))
	require.Equal(t, operr.Usage, outer.ExitStatus())
	require.Equal(t, operr.Usage, operr.ExitStatus(fmt.Errorf("again: %w", inner)))
}

func TestExitStatus(t *testing.T) {
	require.Equal(t, 0, operr.ExitStatus(nil))
	require.Equal(t, operr.Failed, operr.ExitStatus(errors.New("plain")))
	require.Equal(t, operr.Stopped, operr.ExitStatus(operr.NewStopped("decide", "it is yours")))
	require.Equal(t, operr.Failed, (&operr.Error{Summary: "x"}).ExitStatus())
	stopped := operr.NewStopped("decide", "it is yours")
	for _, around := range []error{
		operr.New("go on", "a step: %w", stopped), operr.New("", "%w (%w)", errors.New("plain"), stopped), fmt.Errorf("outer: %w", operr.New("", "inner: %w", stopped)),
	} {
		require.Equal(t, operr.Stopped, operr.ExitStatus(around), "%v", around)
		require.ErrorIs(t, around, stopped)
	}
	require.Equal(t, operr.Failed, operr.ExitStatus(operr.New("", "a step: %w", errors.New("plain"))))
}

func TestCount(t *testing.T) {
	require.Equal(t, "0 things, 1 thing, 2 things", operr.Count(0, "thing")+", "+operr.Count(1, "thing")+", "+operr.Count(2, "thing"))
}

// Several errors become one, with all their next steps. A single error is returned unchanged.
func TestJoin(t *testing.T) {
	require.NoError(t, operr.Join(nil, "see to each", "none"))
	one := operr.New("choose", "a is wrong").WithDetail("line 1\nline 2")
	require.Same(t, one, operr.Join([]*operr.Error{one}, "see to each", "1 thing"))
	two := operr.New("", "b: %w", operr.New("wait", "it is busy"))
	err := operr.Join([]*operr.Error{one, two}, "see to each", "%d things", 2)
	require.Equal(t, "2 things\n  ✗ a is wrong → choose\n    line 1\n    line 2\n  ✗ b: it is busy → wait\n→ see to each", fmt.Sprintf("%+v", err))
}

// HasWayOn looks only at the next step that is printed. An outer error with another next step hides an inner error's.
func TestWayOn(t *testing.T) {
	on := operr.New("`tool undo`", "it is not so").WithWayOn()
	require.True(t, operr.HasWayOn(on))
	require.True(t, operr.HasWayOn(on.WithDetail("line")))
	require.True(t, operr.HasWayOn(operr.New("", "a step: %w", fmt.Errorf("inner: %w", on))))
	require.False(t, operr.HasWayOn(operr.New("correct it", "a step: %w", on)))
	require.False(t, operr.HasWayOn(operr.AddCure("install the certificate", on)))
	require.False(t, operr.HasWayOn(operr.New("`tool undo`", "it is not so")))
	require.False(t, operr.HasWayOn(errors.New("plain")))
}

// Wrapped changes no words, and breaks each text at the column where the terminal shows it.
func TestWrapped(t *testing.T) {
	wrap := func(text string) string { return strings.ReplaceAll(text, " | ", "\n  ") }
	e := operr.NewUsage("do | this", "it | went wrong").WithDetail("a | b\nc")
	require.Equal(t, "it\n  went wrong\n  a\n  b\n  c\n→ do\n  this", fmt.Sprintf("%+v", e.WrapText("Error: ", wrap)))
	require.Equal(t, "it | went wrong", e.Error(), "it is a copy")
	require.Equal(t, operr.Usage, e.WrapText("", wrap).ExitStatus())
	bare := operr.New("", "x")
	require.Equal(t, "x", fmt.Sprintf("%+v", bare.WrapText("Error: ", wrap)))
}

func TestDeclined(t *testing.T) {
	e := operr.NewDeclined("not released")
	require.ErrorIs(t, e, operr.ErrDeclined)
	require.Equal(t, "not released: you said no; nothing was changed", e.Error())
	require.Equal(t, operr.Stopped, e.ExitStatus())
}

// If something was changed before a question, the error for a no or for a missing terminal does not claim that nothing was changed.
func TestNotAgreed(t *testing.T) {
	nobody := operr.NewStopped("add -yes", "nothing was changed: %w", operr.ErrNobody)
	for _, c := range []struct {
		err        error
		next, says string
	}{
		{operr.NewDeclined("not done"), "run it again", "not sent: you said no; one is there\n→ run it again"},
		{fmt.Errorf("in a step: %w", operr.NewDeclined("not done")), "", "not sent: you said no; one is there"},
		{nobody, "", "not sent: there is no terminal to ask at, and no -yes; one is there\n→ add -yes"},
	} {
		e := operr.NotAgreed(c.err, "not sent", "one is there", c.next)
		require.Equal(t, c.says, fmt.Sprintf("%+v", e))
		require.Equal(t, operr.Stopped, operr.ExitStatus(e))
		require.Equal(t, errors.Is(c.err, operr.ErrDeclined), errors.Is(e, operr.ErrDeclined))
		require.Equal(t, operr.NextOf(e) != "", operr.HasWayOn(e))
	}
	other := errors.New("the world is gone")
	require.Equal(t, other, operr.NotAgreed(other, "not sent", "one is there", ""))
	require.NoError(t, operr.NotAgreed(nil, "not sent", "one is there", ""))
}
