package workflow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// world is where steps do their work. The test fails if a step is done twice.
type world struct {
	done  map[string]string
	did   map[string]int
	asked map[string]int
	fails map[string]error // errors that Do returns, by step name; a name with a "?" before it is for Check
}

func newWorld() *world {
	return &world{done: map[string]string{}, did: map[string]int{}, asked: map[string]int{}, fails: map[string]error{}}
}

type result struct{ Made string }

// add adds a step that makes a text from the values of earlier steps.
func (w *world) add(d *workflow.Definition, name string, needs ...*workflow.Value[result]) *workflow.Value[result] {
	return workflow.Add(d, w.step(name, needs...))
}

func (w *world) step(name string, needs ...*workflow.Value[result]) workflow.Step[result] {
	return workflow.Step[result]{
		Name: name,
		Check: func(context.Context, *result) (result, bool, error) {
			w.asked[name]++
			made, ok := w.done[name]
			return result{made}, ok, w.fails["?"+name]
		},
		Do: func(ctx context.Context) (result, error) {
			if err := w.fails[name]; err != nil {
				return result{}, err
			}
			w.did[name]++
			w.done[name] = name
			for _, v := range needs {
				w.done[name] += "+" + v.Get().Made
			}
			return result{w.done[name]}, ctx.Err()
		},
		Say: func(r result) string { return "made " + r.Made },
	}
}

type report struct{ lines []string }

func (r *report) Step(name string, f func() (string, error)) error {
	evidence, err := f()
	if err != nil {
		evidence = "error"
	}
	r.lines = append(r.lines, name+": "+evidence)
	return err
}

func (r *report) ShowSkipped(name, why string) { r.lines = append(r.lines, name+" skipped: "+why) }

// run runs a definition with the events of earlier runs, and adds its own events.
func run(ctx context.Context, d *workflow.Definition, events *[]workflow.Event) (*report, error) {
	r := &report{}
	err := (&workflow.Run{
		Definition: d,
		Past:       *events,
		Reporter:   r,
		Keep: func(event workflow.Event) error {
			*events = append(*events, event)
			return nil
		},
		Transient: func(err error) bool { return errors.Is(err, errTransient) },
		Pause:     func(context.Context, time.Duration) error { return nil },
	}).Do(ctx)
	return r, err
}

var errTransient = errors.New("the line was busy")

func TestStepsAreDoneInOrderAndOnce(t *testing.T) {
	w := newWorld()
	define := func() *workflow.Definition {
		d := workflow.New()
		a := w.add(d, "a")
		b := w.add(d, "b", a)
		workflow.Add(d, workflow.Step[result]{Name: "c", Skip: func() string { return "not today" }})
		w.add(d, "d", a, b)
		return d
	}
	require.Equal(t, []string{"a", "b", "c", "d"}, define().Names())
	var events []workflow.Event
	r, err := run(t.Context(), define(), &events)
	require.NoError(t, err)
	require.Equal(t, []string{"a: made a", "b: made b+a", "c skipped: not today", "d: made d+a+b+a"}, r.lines)
	require.JSONEq(t, `{"Made":"b+a"}`, string(events[3].Result))

	// If the steps run again, here or on a machine that has no events, nothing is done twice.
	for _, events := range [][]workflow.Event{events, nil} {
		r, err = run(t.Context(), define(), &events)
		require.NoError(t, err)
		require.Equal(t, "b: there already: made b+a", r.lines[1])
	}
	require.Equal(t, map[string]int{"a": 1, "b": 1, "d": 1}, w.did)
	require.Panics(t, func() { w.add(define(), "a") })
}

// If a run dies at any of its events, before or after the event is recorded, the next run continues, and every step is done exactly once.
func TestKilledAnywhere(t *testing.T) {
	for dies := 0; ; dies++ {
		for _, kept := range []bool{false, true} {
			w := newWorld()
			define := func() *workflow.Definition {
				d := workflow.New()
				a := w.add(d, "a")
				w.add(d, "b", a)
				return d
			}
			var events []workflow.Event
			n := 0
			dead := errors.New("killed")
			_ = (&workflow.Run{
				Definition: define(),
				Reporter:   &report{},
				Keep: func(event workflow.Event) error {
					n++
					if n-1 < dies || n-1 == dies && kept {
						events = append(events, event)
					}
					if n > dies {
						return dead
					}
					return nil
				},
			}).Do(t.Context())
			_, err := run(t.Context(), define(), &events)
			require.NoError(t, err)
			require.Equal(t, map[string]int{"a": 1, "b": 1}, w.did, "died at record %d", dies)
			require.Equal(t, "b+a", w.done["b"])
			if n <= dies {
				return // the journal has no more events than these
			}
		}
	}
}

func TestErrors(t *testing.T) {
	boom := errors.New("boom")
	for _, c := range []struct {
		name   string
		events []workflow.Event
		change func(w *world, s *workflow.Step[result])
		says   string
		status int
		did    int
	}{
		{name: "doing it goes wrong", change: func(w *world, s *workflow.Step[result]) { w.fails["a"] = boom }, says: "a: boom", status: operr.Failed},
		{name: "the world does not answer", change: func(w *world, s *workflow.Step[result]) { w.fails["?a"] = boom }, says: "a: boom", status: operr.Failed},
		{
			name:   "the check fails, and the step was begun",
			events: []workflow.Event{{Step: "a", Kind: workflow.Started}},
			change: func(w *world, s *workflow.Step[result]) { w.fails["?a"] = boom },
			says:   "the step was begun, but it is not known whether the step is done: boom",
			status: operr.Stopped,
		},
		{
			name:   "begun, failed, no answer",
			events: []workflow.Event{{Step: "a", Kind: workflow.Started}, {Step: "a", Kind: workflow.Failed}},
			change: func(w *world, s *workflow.Step[result]) { w.fails["?a"] = boom },
			says:   "it is not known whether the step is done: boom",
			status: operr.Stopped,
		},
		{
			name: "the check does not find the result",
			change: func(w *world, s *workflow.Step[result]) {
				s.Check = func(context.Context, *result) (result, bool, error) { return result{}, false, nil }
			},
			says:   "the step ended without an error, but its check does not find the result: made a",
			status: operr.Failed,
			did:    1,
		},
		{name: "a question without an answer", change: func(w *world, s *workflow.Step[result]) { s.Do = nil }, says: "is not done, and its check gave no reason", status: operr.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			s := w.step("a")
			c.change(w, &s)
			d := workflow.New()
			workflow.Add(d, s)
			w.add(d, "never")
			events := c.events
			_, err := run(t.Context(), d, &events)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.status, operr.ExitStatus(err))
			require.Equal(t, c.did, w.did["a"])
			require.Zero(t, w.asked["never"])
			require.Equal(t, workflow.Failed, events[len(events)-1].Kind)
		})
	}
}

// knowing is an error with a value to record.
type knowing struct{ error }

func (knowing) Kept() any { return result{Made: "nothing"} }

// The value of such an error is recorded with the failure, but does not count as a result of the step.
func TestValueOfAFailure(t *testing.T) {
	w := newWorld()
	w.fails["a"] = fmt.Errorf("doing it: %w", knowing{errors.New("boom")})
	d := workflow.New()
	step := w.step("a")
	var recorded []*result
	check := step.Check
	step.Check = func(ctx context.Context, r *result) (result, bool, error) {
		recorded = append(recorded, r)
		return check(ctx, r)
	}
	workflow.Add(d, step)
	var events []workflow.Event
	for range 2 {
		_, err := run(t.Context(), d, &events)
		require.ErrorContains(t, err, "a: doing it: boom")
		last := events[len(events)-1]
		require.Equal(t, workflow.Failed, last.Kind)
		require.JSONEq(t, `{"Made":"nothing"}`, string(last.Result))
		d = workflow.New()
		workflow.Add(d, step)
	}
	require.Equal(t, []*result{nil, nil}, recorded)
}

// After a transient failure, Do is called again, but only if Check says that the step is not done.
func TestTransient(t *testing.T) {
	for _, c := range []struct {
		lost bool // the step was done, and only the response was lost
		did  int
	}{{false, 2}, {true, 1}} {
		w := newWorld()
		s := w.step("a")
		s.Retries = 1
		do := s.Do
		tries := 0
		s.Do = func(ctx context.Context) (result, error) {
			if tries++; tries == 1 {
				if c.lost {
					_, _ = do(ctx)
				}
				return result{}, fmt.Errorf("calling: %w", errTransient)
			}
			return do(ctx)
		}
		d := workflow.New()
		workflow.Add(d, s)
		var events []workflow.Event
		_, err := run(t.Context(), d, &events)
		require.NoError(t, err)
		require.Equal(t, 1, w.did["a"])
		require.Equal(t, c.did, tries)
	}
}

// After a step that waits, all earlier steps are checked again.
func TestStepsAreCheckedAgainAfterAWait(t *testing.T) {
	w := newWorld()
	d := workflow.New()
	w.add(d, "a")
	workflow.Add(d, workflow.Step[result]{
		Name:  "wait",
		Waits: true,
		Do: func(context.Context) (result, error) {
			delete(w.done, "a")
			return result{}, nil
		},
	})
	w.add(d, "b")
	var events []workflow.Event
	_, err := run(t.Context(), d, &events)
	require.ErrorContains(t, err, "a: the step was done, but its check no longer finds the result")
	require.Zero(t, w.did["b"])
}

// If the context ends, the run stops before the next step. A step that is Whole runs to its end.
func TestStop(t *testing.T) {
	for _, whole := range []bool{false, true} {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("a person said so")
		w := newWorld()
		s := w.step("a")
		s.Whole = whole
		do := s.Do
		s.Do = func(ctx context.Context) (result, error) {
			cancel(stop)
			return do(ctx)
		}
		d := workflow.New()
		workflow.Add(d, s)
		w.add(d, "b")
		var events []workflow.Event
		_, err := run(ctx, d, &events)
		require.ErrorIs(t, err, stop)
		require.Zero(t, w.asked["b"])
		last := events[len(events)-1]
		require.Equal(t, whole, last.Kind == workflow.Done)
		require.Equal(t, !whole, last.Stopped)
		if !whole {
			require.True(t, d.Look(t.Context(), events, time.Second)[0].Stopped)
		}
	}
}

type unexported struct{ Made, lost string }

// If JSON would change a result, the step that makes it fails, not a later run that needs it.
func TestResultsSurvive(t *testing.T) {
	d := workflow.New()
	workflow.Add(d, workflow.Step[unexported]{
		Name: "a",
		Do: func(context.Context) (unexported, error) {
			return unexported{"x", "y"}, nil
		},
	})
	var events []workflow.Event
	_, err := run(t.Context(), d, &events)
	require.ErrorContains(t, err, `the result of "a" changed when it was recorded`)
}

// Check gets the result that an earlier run recorded, and later steps get its value.
func TestCheckGetsTheRecord(t *testing.T) {
	events := []workflow.Event{{Step: "a", Kind: workflow.Done, Result: json.RawMessage(`{"Made":"long ago"}`)}}
	d := workflow.New()
	a := workflow.Add(d, workflow.Step[result]{
		Name: "a",
		Check: func(_ context.Context, before *result) (result, bool, error) {
			return *before, true, nil
		},
		Do: func(context.Context) (result, error) { return result{}, errors.New("not again") },
	})
	require.False(t, a.Known())
	require.Panics(t, func() { a.Get() })
	_, err := run(t.Context(), d, &events)
	require.NoError(t, err)
	require.Equal(t, result{"long ago"}, a.Get())
}

// A value that a step finds in every run reaches later steps without an event.
func TestLater(t *testing.T) {
	d := workflow.New()
	found, set := workflow.Later[func() string]("a")
	require.False(t, found.Known())
	require.PanicsWithValue(t, `workflow: there is no result of "a" yet`, func() { found.Get() })
	workflow.Add(d, workflow.Step[result]{
		Name: "a",
		Check: func(context.Context, *result) (result, bool, error) {
			set(func() string { return "what JSON cannot keep" })
			return result{"x"}, true, nil
		},
	})
	b := workflow.Add(d, workflow.Step[result]{
		Name: "b",
		Do:   func(context.Context) (result, error) { return result{found.Get()()}, nil },
	})
	var events []workflow.Event
	_, err := run(t.Context(), d, &events)
	require.NoError(t, err)
	require.Equal(t, result{"what JSON cannot keep"}, b.Get())
	require.JSONEq(t, `{"Made":"x"}`, string(events[0].Result))
}

// Look calls Check and changes nothing. It does not call a Check that needs a value that is not known yet.
func TestLook(t *testing.T) {
	w := newWorld()
	define := func() *workflow.Definition {
		d := workflow.New()
		a := w.add(d, "a")
		workflow.Add(d, workflow.Step[result]{
			Name: "skip",
			Skip: func() string { return "why not" },
			Check: func(context.Context, *result) (result, bool, error) {
				panic("it is skipped")
			},
		})
		b := w.add(d, "b", a)
		w.add(d, "c", b)
		return d
	}
	w.done["a"] = "a"
	events := []workflow.Event{{Step: "b", Kind: workflow.Failed, Error: "boom"}}
	require.Equal(t, []workflow.Standing{
		{Step: "a", World: workflow.IsDone, Seen: "made a"},
		{Step: "skip", World: workflow.NotNeeded, Seen: "why not"},
		{Step: "b", Recorded: workflow.Failed, Said: "boom", World: workflow.IsNotDone},
		{Step: "c", World: workflow.NotAsked},
	}, define().Look(t.Context(), events, time.Minute))
	w.fails["?a"] = errors.New("no line")
	require.Equal(t, workflow.Standing{Step: "a", World: workflow.Trouble, Seen: "no line"}, define().Look(t.Context(), nil, time.Minute)[0])
	require.Empty(t, w.did)
}

// A panic in any function of a step becomes the step's error, with the stack. Look returns it as workflow.Trouble.
func TestAPanicIsTheStepsError(t *testing.T) {
	for name, s := range map[string]workflow.Step[result]{
		"Skip": {Name: "a", Skip: func() string { panic("ouch") }},
		"Skip, by a value that is not there": {
			Name: "a",
			Skip: func() string {
				return workflow.Add(workflow.New(), workflow.Step[result]{Name: "b"}).Get().Made + "ouch"
			},
		},
		"Check": {Name: "a", Check: func(context.Context, *result) (result, bool, error) { panic("ouch") }},
		"Do":    {Name: "a", Do: func(context.Context) (result, error) { panic("ouch") }},
		"Say": {
			Name: "a",
			Do:   func(context.Context) (result, error) { return result{}, nil },
			Say:  func(result) string { panic("ouch") },
		},
	} {
		d := workflow.New()
		workflow.Add(d, s)
		var events []workflow.Event
		_, err := run(t.Context(), d, &events)
		require.ErrorContains(t, err, "a: the program panicked: ", name)
		require.Contains(t, operr.DetailOf(err), "workflow_test.go", "the stack of %s", name)
		require.Equal(t, workflow.Failed, events[len(events)-1].Kind, name)
		if s.Check == nil {
			s.Check = func(context.Context, *result) (result, bool, error) { return result{}, false, nil }
		}
		if s.Do == nil {
			d := workflow.New()
			workflow.Add(d, s)
			require.Equal(t, workflow.Trouble, d.Look(t.Context(), nil, time.Minute)[0].World, name)
		}
	}
}

// A step that panics when it is checked again, after a wait, has failed, too.
func TestAPanicAfterAWait(t *testing.T) {
	d, asked := workflow.New(), 0
	workflow.Add(d, workflow.Step[result]{
		Name: "a",
		Skip: func() string {
			if asked++; asked > 1 {
				panic("ouch")
			}
			return ""
		},
		Check: func(context.Context, *result) (result, bool, error) { return result{}, true, nil },
	})
	workflow.Add(d, workflow.Step[result]{Name: "b", Waits: true, Do: func(context.Context) (result, error) { return result{}, nil }})
	var events []workflow.Event
	_, err := run(t.Context(), d, &events)
	require.ErrorContains(t, err, "checking the step a again: the program panicked: ouch")
}

// If the effect of a step cannot be queried, the step is done once according to the events.
func TestRecorded(t *testing.T) {
	for name, c := range map[string]struct {
		events []workflow.Event
		done   int
	}{
		"nothing is recorded": {nil, 1},
		"the step was begun":  {[]workflow.Event{{Step: "a", Kind: workflow.Started}}, 1},
		"the step failed":     {[]workflow.Event{{Step: "a", Kind: workflow.Started}, {Step: "a", Kind: workflow.Failed}}, 1},
		"the step was done":   {[]workflow.Event{{Step: "a", Kind: workflow.Done, Result: json.RawMessage(`{"Made":"x"}`)}}, 0},
		"the step was done, and later found": {
			events: []workflow.Event{
				{Step: "a", Kind: workflow.Done, Result: json.RawMessage(`{"Made":"x"}`)},
				{Step: "a", Kind: workflow.Found, Result: json.RawMessage(`{"Made":"x"}`)},
			},
			done: 0,
		},
	} {
		done := 0
		d := workflow.New()
		a := workflow.Add(d, workflow.Step[result]{
			Name: "a",
			Check: func(_ context.Context, recorded *result) (result, bool, error) {
				if recorded == nil {
					return result{}, false, nil
				}
				return *recorded, true, nil
			},
			Do: func(context.Context) (result, error) {
				done++
				return result{"x"}, nil
			},
		})
		err := (&workflow.Run{ // without a Reporter, nothing is shown
			Definition: d,
			Past:       c.events,
			Keep:       func(workflow.Event) error { return nil },
		}).Do(t.Context())
		require.NoError(t, err, name)
		require.Equal(t, c.done, done, name)
		require.Equal(t, result{"x"}, a.Get(), name)
	}
}
