// Package workflow runs a list of named steps. A run may be killed at any moment and started again, here or on another machine. Steps that are
// already done are not repeated, as far as their state can be checked. Use it for work that must survive a kill; use package steps for a plain list
// with progress output. Package session adds the journal, the confirmation prompt, and undo.
//
// A [Definition] is the list. Each [Step] has a function that checks whether it is done (Check), and one that does it (Do):
//
//	d := workflow.New()
//	key := workflow.Add(d, workflow.Step[Key]{Name: "cut the key", Check: haveKey, Do: cutKey})
//	workflow.Add(d, workflow.Step[Door]{Name: "open the door", Check: isOpen, Do: func(ctx context.Context) (Door, error) {
//		return open(ctx, key.Get())
//	}})
//	err := (&workflow.Run{Definition: d, Past: events, Keep: keep, Reporter: view}).Do(ctx)
//
// # How a step runs
//
// The actual state decides; the events of earlier runs are only hints. If Skip returns a reason, the step is skipped with that reason. Otherwise
// Check is called. If it returns done, the step is done, whoever did it. If not, "started" is recorded, Do is called, Check is called again, and
// "done" is recorded with the result. If Check does not see the result after Do, that is an error.
//
// Check gets the recorded result of the step, for facts that cannot be queried (such as that tests passed for a commit). It may trust the record
// only if the record identifies the state that it applies to.
//
// If a step was started and its outcome is unknown, Check decides. If Check fails, for example because a server does not respond, the run stops
// without doing anything until the user decides (exit status 3).
//
// Do may have been interrupted, or killed before "done" was recorded. The next run calls it again, unless Check returns done. So Do must be able to
// continue half-done work, and each request must have a key by which the server recognizes a repeated request.
//
// A panic in a step's function becomes the step's error, with the stack.
//
// # Results
//
// A step's result must survive a round trip through JSON, because the next run may have to read it from the events. This is checked immediately.
// Later steps get the result from the [Value] that Add returned. A step may only use the values of earlier steps: pass them as arguments to the
// function that creates the step, so that the definition shows the dependencies. A value that a step computes in every run and that need not be
// recorded, such as a plan, is passed on by [Later]. If a step has a Check, its result is what Check returned last.
//
// # Waiting and asking
//
// While a step with Waits runs, such as a question to the user, other state may change. After its Do, all earlier steps are checked again, and the
// run ends if one of them is no longer done.
//
// # Stopping
//
// When the context ends, Do's context ends, too, unless the step is Whole: such a step is short, and is allowed to finish. No further step is
// started. After an error that Transient recognizes, Check is called and Do is retried. All other errors end the run.
//
// The package does not limit how long Do takes. Do needs its own timeout (httpclient, pause.Wait, and command.Silence for a child), and should report
// what it is waiting for.
package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Step is one unit of work. R is the result that later steps need.
type Step[R any] struct {
	// Name must be unique. It is shown to users and recorded in events.
	Name string

	// Skip returns why the step does not apply to this run, or "" if it does. If nil, the step always applies.
	Skip func() string

	// Check determines whether the step is done. `recorded` is the result that an earlier run, or this run's Do, has recorded, or nil. An error means
	// that the state could not be read, or conflicts with the step. Without a Check, the step runs every time, even if an earlier run has done it. If
	// the effect cannot be queried, as for a message that was sent, Check should return done if `recorded` is not nil; a kill between the effect and
	// its record then repeats the step.
	Check func(ctx context.Context, recorded *R) (result R, done bool, err error)

	// Do performs the step. A step without Do only checks, and its Check returns an error if something is wrong.
	Do func(ctx context.Context) (R, error)

	// Say returns one line of evidence for a result: what Check saw, not what Do intended. It may be nil.
	Say func(R) string

	Whole   bool // Do is short, and is not interrupted
	Waits   bool // Do may take so long that the earlier steps must be checked again
	Retries int  // how often Do is retried after a transient error
}

// Definition is a list of steps.
type Definition struct{ steps []step }

// New returns an empty definition.
func New() *Definition { return &Definition{} }

// Add appends a step. It panics if the name already exists: number names that come from a file.
func Add[R any](d *Definition, s Step[R]) *Value[R] {
	if slices.ContainsFunc(d.steps, func(other step) bool { return other.name() == s.Name }) {
		panic(fmt.Sprintf("workflow: two steps %q", s.Name))
	}
	v := &Value[R]{step: s.Name}
	d.steps = append(d.steps, &typed[R]{Step: s, value: v})
	return v
}

// Value is the result of a step. It is set once the step has run.
type Value[R any] struct {
	step  string
	value *R
}

// Later returns a value that is not a step's result and is not recorded, and a function that sets it. That function is called in every run, by a step
// or by the code that defines the steps. `step` is the name of the step that computes the value.
func Later[R any](step string) (v *Value[R], set func(R)) {
	v = &Value[R]{step: step}
	return v, func(r R) { v.value = &r }
}

// Get returns the result. It panics if the step has not run yet, or was skipped.
func (v *Value[R]) Get() R {
	if v.value == nil {
		panic(fmt.Sprintf("workflow: there is no result of %q yet", v.step))
	}
	return *v.value
}

// Known reports whether there is a result.
func (v *Value[R]) Known() bool { return v.value != nil }

// Kind is the kind of an event.
type Kind string

// These are the kinds of events.
const (
	Started Kind = "started"
	Done    Kind = "done"    // Do has done the step
	Found   Kind = "found"   // the step was already done
	Skipped Kind = "skipped" // the step was skipped; Evidence has the reason
	Failed  Kind = "failed"
)

// Event records something that happened to a step.
type Event struct {
	Step     string          `json:"step"`
	Kind     Kind            `json:"event"`
	Evidence string          `json:"evidence,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"` // for a failed step, the result of calling Kept() on an error in the failure's chain
	Error    string          `json:"error,omitempty"`
	Stopped  bool            `json:"stopped,omitempty"` // only for kind Failed: the step was interrupted with the run, as by Ctrl-C
	Took     time.Duration   `json:"took_ns,omitempty"`
}

// Reporter shows progress to the user.
type Reporter interface {
	// Step runs f and shows the name, the duration, and the evidence that f returned.
	Step(name string, f func() (evidence string, err error)) error
	// ShowSkipped shows a skipped step and the reason.
	ShowSkipped(name, why string)
}

// silent is a Reporter that shows nothing.
type silent struct{}

func (silent) Step(_ string, f func() (string, error)) error {
	_, err := f()
	return err
}

func (silent) ShowSkipped(string, string) {}
