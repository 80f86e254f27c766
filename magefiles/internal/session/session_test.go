package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// keys is the server of the example.
var keys = startKeyServer(nil)

// quiet shows nothing.
type quiet struct{}

func (quiet) Step(_ string, f func() (string, error)) error {
	_, err := f()
	return err
}

func (quiet) Skipped(string, string) {}

func TestAnOperationIsKilledAnywhere(t *testing.T) {
	sessiontest.Killed(t, func(t *testing.T) sessiontest.Site[*rotation] {
		s, state := startKeyServer(t), t.TempDir()
		return sessiontest.Site[*rotation]{
			Operation: func() *session.Operation[*rotation] { return rotate(state, s) },
			Done:      func(t *testing.T) { require.Equal(t, "*key-1-next of key-1 key-1-next", s.all()) },
			Undone:    func(t *testing.T) { require.Equal(t, "*key-1 of key-1", s.all()) },
		}
	})
}

// Who says no changes nothing, and nothing is kept of it.
func TestNothingIsKeptBeforeThePlanIsAgreedTo(t *testing.T) {
	for name, refuse := range map[string]func(o *session.Operation[*rotation]){
		"no": func(o *session.Operation[*rotation]) {
			o.Confirm = func(context.Context, *rotation) error { return errors.New("no") }
		},
		"no plan": func(o *session.Operation[*rotation]) {
			o.Make = func(context.Context) (*rotation, error) { return nil, errors.New("no") }
		},
		"nowhere to write": func(o *session.Operation[*rotation]) {
			o.Dir = filepath.Join(o.Dir, "file")
			if err := os.WriteFile(o.Dir, nil, 0o644); err != nil {
				panic(err)
			}
			o.Locks = filepath.Dir(o.Dir)
		},
	} {
		s, state := startKeyServer(t), t.TempDir()
		o := rotate(state, s)
		refuse(o)
		_, err := o.Run(t.Context())
		require.Error(t, err, name)
		require.Equal(t, "*key-1 of key-1", s.all(), name)
		past, _, err := rotate(state, s).Look(t.Context(), time.Second)
		require.NoError(t, err, name)
		require.Nil(t, past, name)
	}
}

// An error says how to go on, and keeps the exit status of what a person has to decide.
func TestAnErrorSaysHowToGoOn(t *testing.T) {
	s, state := startKeyServer(t), t.TempDir()
	for _, c := range []struct {
		fails      error
		next       string
		exitStatus int
	}{
		{errors.New("a plain one"), "`mage key:rotate` goes on from here", operr.Failed},
		{operr.New("splice the line", "no line"), "splice the line; then `mage key:rotate` goes on from here", operr.Failed},
		{operr.NewStopped("`mage key:undo` takes it back", "somebody else has it"), "`mage key:undo` takes it back", operr.Stopped},
	} {
		o := rotate(state, s)
		o.Define = func(*rotation) *workflow.Definition {
			d := workflow.New()
			workflow.Add(d, workflow.Step[string]{Name: "fail", Do: func(context.Context) (string, error) { return "", c.fails }})
			return d
		}
		_, err := o.Run(t.Context())
		require.ErrorIs(t, err, c.fails)
		require.Equal(t, c.next, operr.NextOf(err))
		require.Equal(t, c.exitStatus, operr.ExitStatus(err))
	}
	past, _, err := rotate(state, s).Look(t.Context(), time.Second)
	require.NoError(t, err)
	require.Len(t, past.Records, 6, "one journal has all three runs")
}

// A step that panics has failed, with its stack, and the session goes on from there.
func TestAStepThatPanicsHasFailed(t *testing.T) {
	s, state := startKeyServer(t), t.TempDir()
	o := rotate(state, s)
	whole := o.Define
	o.Define = func(p *rotation) *workflow.Definition {
		d := whole(p)
		workflow.Add(d, workflow.Step[string]{Name: "panic", Do: func(context.Context) (string, error) { panic("out of keys") }})
		return d
	}
	_, err := o.Run(t.Context())
	require.ErrorContains(t, err, "panic: it panicked: out of keys")
	require.Contains(t, operr.DetailOf(err), "session_test.go", "the stack")
	past, _, err := rotate(state, s).Look(t.Context(), time.Second)
	require.NoError(t, err)
	require.Equal(t, workflow.Failed, past.Records[len(past.Records)-1].Event)
	past, err = rotate(state, s).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, session.End("rotated"), past.End)
}

// Two processes do not work on one session, and a journal that is not to be trusted stops for a person.
func TestWhatStopsForAPerson(t *testing.T) {
	s, state := startKeyServer(t), t.TempDir()
	o := rotate(state, s)
	unlock, _, err := o.Lock()
	require.NoError(t, err)
	_, err = rotate(state, s).Run(t.Context())
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	require.ErrorContains(t, err, "another rotation is under way here")
	require.Contains(t, operr.NextOf(err), "`mage key:status`")
	unlock()

	s.broken = errors.New("out of order")
	o.Make = func(context.Context) (*rotation, error) { return &rotation{"key-1", "key-2"}, nil }
	_, err = o.Run(t.Context())
	require.ErrorContains(t, err, "out of order")
	files, err := filepath.Glob(filepath.Join(state, "rotations", "*.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	good, err := os.ReadFile(files[0])
	require.NoError(t, err)
	for text, says := range map[string]string{
		"{}\n" + string(good): "the journal is damaged",
		"":                    "there is no plan in",
		fmt.Sprintf("%s\n", `{"seq":1,"kind":"plan","plan":"x","body":{"Old":"a","New":"b"}}`): "is not the one that was agreed to",
	} {
		require.NoError(t, os.WriteFile(files[0], []byte(text), 0o644))
		_, err = rotate(state, s).Run(t.Context())
		require.ErrorContains(t, err, says)
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
		_, err = rotate(state, s).Undo(t.Context())
		require.ErrorContains(t, err, says)
	}
}

// A journal of another format is for the version that wrote it.
func TestAPlanThatThisVersionCannotRead(t *testing.T) {
	s, state := startKeyServer(t), t.TempDir()
	s.broken = errors.New("out of order")
	o := rotate(state, s)
	o.Tool, o.Make = "0.9", func(context.Context) (*rotation, error) { return &rotation{"key-1", "key-2"}, nil }
	_, err := o.Run(t.Context())
	require.Error(t, err)
	o = rotate(state, s)
	o.Readable = func(p *rotation, tool string) error {
		return operr.NewStopped("use "+tool, "the plan for %s is of another format", p.New)
	}
	_, err = o.Run(t.Context())
	require.ErrorContains(t, err, "the plan for key-2 is of another format")
	require.Equal(t, "use 0.9", operr.NextOf(err))
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
}
