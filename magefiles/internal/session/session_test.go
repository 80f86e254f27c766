package session_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/session"
	"github.com/foopack/foopack/magefiles/internal/session/sessiontest"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// keys is the server for the Example.
var keys = startKeyServer(nil)

func TestOperationKilledAtEachPoint(t *testing.T) {
	sessiontest.CheckKills(t, func(t *testing.T) sessiontest.Site[*rotation] {
		s, state := startKeyServer(t), t.TempDir()
		return sessiontest.Site[*rotation]{
			Operation: func() *session.Operation[*rotation] { return rotate(state, s) },
			Done:      func(t *testing.T) { require.Equal(t, "*key-1-next of key-1 key-1-next", s.all()) },
			Undone:    func(t *testing.T) { require.Equal(t, "*key-1 of key-1", s.all()) },
			Break:     s.breakAfter,
		}
	})
}

// The Example, which shows everything that an operation needs, must remain small.
func TestTheExampleIsSmall(t *testing.T) {
	text, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	require.Less(t, strings.Count(string(text), "\n"), 80)
}

// If the user declines, nothing is changed and no journal is written.
func TestDeclinedPlanLeavesNothing(t *testing.T) {
	for name, refuse := range map[string]func(o *session.Operation[*rotation]){
		"no": func(o *session.Operation[*rotation]) {
			o.Confirm = func(context.Context, *rotation) error { return errors.New("no") }
		},
		"no plan": func(o *session.Operation[*rotation]) {
			o.Make = func(context.Context) (*rotation, error) { return nil, errors.New("no") }
		},
		"an unwritable folder": func(o *session.Operation[*rotation]) {
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

// An error says how to continue, and keeps its exit status if it requires a decision by the user.
func TestErrorsSayHowToContinue(t *testing.T) {
	s, state := startKeyServer(t), t.TempDir()
	for _, c := range []struct {
		fails      error
		next       string
		exitStatus int
	}{
		{errors.New("a plain one"), "`mage key:rotate` continues from here", operr.Failed},
		{operr.New("splice the line", "no line"), "splice the line; then `mage key:rotate` continues from here", operr.Failed},
		{operr.NewStopped("`mage key:undo` undoes it", "somebody else has it").WithWayOn(), "`mage key:undo` undoes it", operr.Stopped},
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
	require.Len(t, past.Events, 6, "all three runs are in one journal")
}

// A step that panics has failed, and its error has the stack. The session can be continued.
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
	require.ErrorContains(t, err, "panic: the program panicked: out of keys")
	require.Contains(t, operr.DetailOf(err), "session_test.go", "the stack")
	past, _, err := rotate(state, s).Look(t.Context(), time.Second)
	require.NoError(t, err)
	require.Equal(t, workflow.Failed, past.Events[len(past.Events)-1].Kind)
	past, err = rotate(state, s).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, session.End("rotated"), past.End)
}

// Two processes cannot run one session at the same time. A journal that cannot be trusted stops the run until the user decides.
func TestStopsForADecision(t *testing.T) {
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
		"":                    " has no plan",
		fmt.Sprintf("%s\n", `{"seq":1,"kind":"plan","plan":"x","body":{"Old":"a","New":"b"}}`): "was changed after you agreed to it",
	} {
		require.NoError(t, os.WriteFile(files[0], []byte(text), 0o644))
		_, err = rotate(state, s).Run(t.Context())
		require.ErrorContains(t, err, says)
		require.Equal(t, operr.Stopped, operr.ExitStatus(err))
		require.Contains(t, operr.NextOf(err), "if no step of that rotation was done, remove the file")
		_, err = rotate(state, s).Undo(t.Context())
		require.ErrorContains(t, err, says)
	}
}

// wider, narrower and later are plans of other program versions.
type wider struct{ Old, New, Reason string }

func (p *wider) Label() string { return p.New }

type narrower struct{ New string }

func (p *narrower) Label() string { return p.New }

type later struct {
	Old, New string
	Reason   string `json:",omitempty"`
}

func (p *later) Label() string { return p.New }

// interruptedBy09 returns a state folder with an unfinished rotation of version 0.9.
func interruptedBy09(t *testing.T) (state string) {
	s, state := startKeyServer(t), t.TempDir()
	o := rotate(state, s)
	o.Tool = "0.9"
	o.Written = func(int) error { return errors.New("killed") }
	_, err := o.Run(t.Context())
	require.ErrorContains(t, err, "killed")
	return state
}

// goOnAs continues the rotation with a program whose plan type is P.
func goOnAs[P session.Plan](t *testing.T, state string, begun func(p P)) (run, undo error) {
	o := &session.Operation[P]{
		Kind: session.Kind[P]{Name: "rotation", Dir: state, Tool: "1.0", Done: "rotated"},
		Make: func(context.Context) (P, error) { panic("another one is begun") },
		Define: func(p P) *workflow.Definition {
			begun(p)
			return workflow.New()
		},
		Revert: func(_ context.Context, past *session.Past[P]) error {
			begun(past.Plan)
			return nil
		},
	}
	_, undo = o.Undo(t.Context())
	_, run = o.Run(t.Context())
	return run, undo
}

// A plan with other fields can only be continued by the program version that wrote it, even if Readable does not reject it. The error must not
// suggest that the plan was tampered with. A new field with omitempty does not affect existing plans.
func TestAPlanOfAnotherVersion(t *testing.T) {
	never := func() { t.Error("a plan is gone on with that is not understood") }
	for name, goOn := range map[string]func(state string) (run, undo error){
		"an additional field": func(state string) (run, undo error) { return goOnAs(t, state, func(*wider) { never() }) },
		"a missing field":     func(state string) (run, undo error) { return goOnAs(t, state, func(*narrower) { never() }) },
		"another kind":        func(state string) (run, undo error) { return goOnAs(t, state, func(*move) { never() }) },
	} {
		run, undo := goOn(interruptedBy09(t))
		for _, err := range []error{run, undo} {
			require.ErrorContains(t, err, "a plan of a rotation has other fields in this version (1.0)", name)
			require.Equal(t, "continue with the version of this program that wrote the journal (0.9)", operr.NextOf(err), name)
			require.Equal(t, operr.Stopped, operr.ExitStatus(err), name)
		}
	}
	begun := 0
	run, undo := goOnAs(t, interruptedBy09(t), func(p *later) {
		begun++
		require.Equal(t, later{Old: "key-1", New: "key-1-next"}, *p)
	})
	require.NoError(t, undo)
	require.ErrorContains(t, run, "another one is begun", "the undo has ended the session")
	require.Equal(t, 1, begun)
}

// A label may be any text.
func TestALabelIsAnyText(t *testing.T) {
	for _, label := range []string{"../../../elsewhere", strings.Repeat("long ", 200), "two\nlines", ".", ""} {
		state := t.TempDir()
		named := &session.Operation[*labeled]{
			Kind:   session.Kind[*labeled]{Name: "rotation", Dir: state, Done: "rotated"},
			Make:   func(context.Context) (*labeled, error) { return &labeled{label}, nil },
			Define: func(*labeled) *workflow.Definition { return workflow.New() },
		}
		past, err := named.Run(t.Context())
		require.NoError(t, err, "%q", label)
		require.Equal(t, filepath.Join(state, "rotations"), filepath.Dir(past.Path))
		require.NotContains(t, past.Path, "\n")
		last, err := named.Last()
		require.NoError(t, err)
		require.Equal(t, label, last.Plan.Text)
	}
}

type labeled struct{ Text string }

func (l *labeled) Label() string { return l.Text }

// If the user interrupts the question, the plan is not agreed to, regardless of what Confirm returns.
func TestInterruptedQuestionIsNotAgreement(t *testing.T) {
	for name, leaves := range map[string]func(o *session.Operation[*rotation], leave func()){
		"it says yes": func(o *session.Operation[*rotation], leave func()) {
			o.Confirm = func(context.Context, *rotation) error { leave(); return nil }
		},
		"it says why": func(o *session.Operation[*rotation], leave func()) {
			o.Confirm = func(ctx context.Context, _ *rotation) error { leave(); return context.Cause(ctx) }
		},
		"nobody is asked": func(o *session.Operation[*rotation], leave func()) {
			o.Confirm, o.Make = nil, func(context.Context) (*rotation, error) { leave(); return &rotation{"key-1", "key-2"}, nil }
		},
	} {
		s, state := startKeyServer(t), t.TempDir()
		ctx, cancel := context.WithCancelCause(t.Context())
		o, left := rotate(state, s), errors.New("interrupted")
		leaves(o, func() { cancel(left) })
		_, err := o.Run(ctx)
		require.ErrorIs(t, err, left, name)
		require.EqualError(t, err, "interrupted; nothing was changed", name)
		require.Equal(t, "*key-1 of key-1", s.all(), name)
		past, err := rotate(state, s).Last()
		require.NoError(t, err, name)
		require.Nil(t, past, name)
	}
}

// An error about an unwritable journal has a next step, at the start of a session and at its end.
func TestAJournalThatCannotBeWritten(t *testing.T) {
	full := errors.New("no space left on device")
	for name, in := range map[string]func(state string) error{
		"a file is in its way":         func(state string) error { return os.WriteFile(filepath.Join(state, "rotations"), nil, 0o644) },
		"a link that leads nowhere is": func(state string) error { return os.Symlink("nowhere/at/all", filepath.Join(state, "rotations")) },
		"a link to itself is":          func(state string) error { return os.Symlink("rotations", filepath.Join(state, "rotations")) },
	} {
		s, state := startKeyServer(t), t.TempDir()
		require.NoError(t, in(state))
		_, err := rotate(state, s).Run(t.Context())
		require.Error(t, err, name)
		require.NotEmpty(t, operr.NextOf(err), "%s: %v", name, err)
		require.Equal(t, "*key-1 of key-1", s.all(), name)
	}
	for entry, next := range map[int]string{
		2: "`mage key:rotate` continues from here", // the first step
		5: "`mage key:rotate` continues from here", // the last one
		6: "`mage key:rotate` continues from here", // the end
	} {
		s, state := startKeyServer(t), t.TempDir()
		o := rotate(state, s)
		o.Written = func(n int) error {
			if n == entry {
				return full
			}
			return nil
		}
		_, err := o.Run(t.Context())
		require.ErrorIs(t, err, full, entry)
		require.Equal(t, next, operr.NextOf(err), entry)
	}
	for _, entry := range []int{3, 4} { // the undo's first and last entries
		s, state := startKeyServer(t), t.TempDir()
		written := func(most int) func(int) error {
			return func(n int) error {
				if n == most {
					return full
				}
				return nil
			}
		}
		o := rotate(state, s)
		o.Written = written(2)
		_, err := o.Run(t.Context())
		require.ErrorIs(t, err, full)
		o = rotate(state, s)
		o.Written = written(entry)
		_, err = o.Undo(t.Context())
		require.ErrorIs(t, err, full, entry)
		require.Equal(t, "`mage key:undo` continues from here", operr.NextOf(err), entry)
	}
}

// A panic in any function of an operation becomes an error with the stack, and releases the lock.
func TestAPanicIsAnError(t *testing.T) {
	type operation = session.Operation[*rotation]
	unfinished := func(o *operation) { o.Define = func(*rotation) *workflow.Definition { panic("unfinished") } }
	undo := func(o *operation) error {
		_, err := o.Undo(t.Context())
		return err
	}
	run := func(o *operation) error {
		_, err := o.Run(t.Context())
		return err
	}
	look := func(o *operation) error {
		_, _, err := o.Look(t.Context(), time.Second)
		return err
	}
	for name, c := range map[string]struct {
		before, panics func(o *operation)
		call           func(o *operation) error
		next           string
	}{
		"Make":    {nil, func(o *operation) { o.Make = func(context.Context) (*rotation, error) { panic("ouch") } }, run, ""},
		"Confirm": {nil, func(o *operation) { o.Confirm = func(context.Context, *rotation) error { panic("ouch") } }, run, ""},
		"Continue": {
			before: unfinished,
			panics: func(o *operation) {
				o.Continue = func(context.Context, *session.Past[*rotation]) error { panic("ouch") }
			},
			call: run,
			next: "",
		},
		"Define":          {nil, func(o *operation) { o.Define = func(*rotation) *workflow.Definition { panic("ouch") } }, run, "; then `mage key:rotate` continues from here"},
		"Define, to look": {unfinished, func(o *operation) { o.Define = func(*rotation) *workflow.Definition { panic("ouch") } }, look, ""},
		"Revert": {
			before: unfinished,
			panics: func(o *operation) {
				o.Revert = func(context.Context, *session.Past[*rotation]) error { panic("ouch") }
			},
			call: undo,
			next: "; then `mage key:undo` continues from here",
		},
	} {
		s, state := startKeyServer(t), t.TempDir()
		if c.before != nil {
			o := rotate(state, s)
			c.before(o)
			require.ErrorContains(t, run(o), "the program panicked: unfinished", name)
		}
		o := rotate(state, s)
		c.panics(o)
		err := c.call(o)
		require.ErrorContains(t, err, "the program panicked: ouch", name)
		require.Contains(t, operr.DetailOf(err), "session_test.go", "the stack of %s", name)
		require.Equal(t, "report this error, with the lines above: it is a bug in this program"+c.next, operr.NextOf(err), name)
		require.NoError(t, run(rotate(state, s)), name)
		require.Equal(t, "*key-1-next of key-1 key-1-next", s.all(), name)
	}
}

// nightly is a plan with state that is not in its JSON, so a resumed run would get another plan.
type nightly struct {
	Name    string
	Counter func() int `json:"-"`
	read    bool
}

func (n *nightly) Label() string { return n.Name }

func (n *nightly) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "{\"Name\":%q,\"Read\":%v}", n.Name, n.read), nil
}

// A plan contains only what its JSON contains, in the first run as well as in later ones.
func TestAPlanSurvivesJSON(t *testing.T) {
	for _, c := range []struct {
		plan nightly
		says string
	}{
		{nightly{Name: "plain", Counter: func() int { return 1 }}, "there is no counter"},
		{nightly{Name: "hidden", read: true}, "the plan hidden is different after it is read from its own JSON"},
	} {
		o := &session.Operation[*nightly]{
			Kind: session.Kind[*nightly]{Name: "night", Dir: t.TempDir(), Done: "over"},
			Make: func(context.Context) (*nightly, error) { return &c.plan, nil },
			Define: func(p *nightly) *workflow.Definition {
				d := workflow.New()
				workflow.Add(d, workflow.Step[int]{
					Name: "count",
					Do: func(context.Context) (int, error) {
						if p.Counter == nil {
							return 0, errors.New("there is no counter")
						}
						return p.Counter(), nil
					},
				})
				return d
			},
		}
		_, err := o.Run(t.Context())
		require.ErrorContains(t, err, c.says)
	}
}

// A journal in another format can only be read by the program version that wrote it.
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

// Sessions in the same millisecond get different journals, and the most recent one sorts last by name.
func TestSessionsOfOneMillisecond(t *testing.T) {
	kind := &session.Kind[*rotation]{Name: "rotation", Dir: t.TempDir(), Done: "rotated"}
	for i := range 30 {
		s := kind.New()
		p := &rotation{New: strconv.Itoa(130 - i)} // the labels sort in descending order
		require.NoError(t, s.Agree(p))
		s.Close()
		last, err := kind.Last()
		require.NoError(t, err)
		require.Equal(t, p, last.Plan)
	}
}
