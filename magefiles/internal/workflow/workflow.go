// Package workflow runs a list of named steps so that it may be killed anywhere, and run again, here or on another
// machine, and still what is done is not done again, as far as the world tells: it is the right one for what must survive a kill, and
// package steps is for a plain list that is shown. Package session has the journal, the question before it, and the way back.
//
// A [Definition] is the list. Each [Step] says how to ask the world whether it is done (Check), and how to do it (Do):
//
//	d := workflow.New()
//	key := workflow.Add(d, workflow.Step[Key]{Name: "cut the key", Check: haveKey, Do: cutKey})
//	workflow.Add(d, workflow.Step[Door]{Name: "open the door", Check: isOpen, Do: func(ctx context.Context) (Door, error) {
//		return open(ctx, key.Get())
//	}})
//	err := (&workflow.Run{Definition: d, Past: events, Keep: keep, Reporter: view}).Do(ctx)
//
// # What happens to a step
//
// The world decides, and the events of earlier runs are memory. A step that says why it is to be skipped is skipped, with that reason.
// Else its Check is asked: done is done, whoever did it. Otherwise "started" is recorded, Do does it, Check is asked again,
// and "done" is recorded with the result. What Check does not see after Do is an error.
//
// A Check gets what was recorded of the step, for what the world cannot tell (that tests passed for a commit). It may
// take its word only for what it binds to the world.
//
// A step that was started, and of which nobody knows how it ended, is one whose Check decides; where Check cannot tell,
// because the world does not answer, the run stops for a person (exit status 3) and does nothing.
//
// Do may have been ended in its middle, or before "done" was recorded. Whoever goes on calls it again, unless Check says that all of it is done:
// so Do takes what it finds half done, and what it sends bears a key by which the other side knows it again.
//
// A panic in a function of a step is its error, with the stack.
//
// # Results
//
// The result of a step is a value that survives JSON: that is tried at once for every result, since the next run may need
// it from the events. Later steps get it from the [Value] that Add returned. A step may use the values of the steps
// above it, and of no others: a function that makes the step gets them as its arguments, so that the definition shows what is needed. What a
// step finds in every run, and nobody has to keep, such as a plan, is handed on by [Later]. Where a step has a Check, its result is what that returned last.
//
// # Waiting and asking
//
// A step with Waits, such as a question to a person, gives the world time to change. When its Do was called, every step
// above it is checked once more, and one that is not so any more ends the run.
//
// # Stopping
//
// When the context ends, Do's context ends too, but for a step that is Whole: it is short, and comes to its end. No
// further step is begun. An error that Transient knows is tried again, after Check was asked; all others end the run.
//
// Nothing here ends a Do that waits for what never comes: it brings its own time limit (httpclient, pause.Wait, and
// command.Silence for a child), and says meanwhile what it waits for.
package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Step is one thing that is to be so. R is what later steps need to know of it.
type Step[R any] struct {
	// Name is unique: people read it, and events bear it.
	Name string

	// Skip returns why the step is not for this run; "" where it is. Nil is for every run.
	Skip func() string

	// Check asks the world. recorded is what an earlier run, or this one's Do, says of it; nil where there is nothing. An
	// error says that the world did not answer, or that what it has is in the way. Nil: the step is done in every run, also where an
	// earlier one has done it. For what is done once and cannot be asked about, such as a message that was sent, Check says that it is
	// done where recorded is not nil; after a kill between the two it is done twice.
	Check func(ctx context.Context, recorded *R) (result R, done bool, err error)

	// Do makes it so. Nil: the step only asks, and its Check says in an error what is not so.
	Do func(ctx context.Context) (R, error)

	// Say is the evidence, in a line, of a result: what Check saw, not what Do meant to do. Nil says nothing.
	Say func(R) string

	Whole   bool // Do is short, and is not interrupted
	Waits   bool // Do may take so long that the steps above have to be checked again
	Retries int  // how often Do is tried again when its error is transient
}

// Definition is a list of steps.
type Definition struct{ steps []step }

// New returns a definition without steps.
func New() *Definition { return &Definition{} }

// Add adds a step behind those that are there. A name that is there already is a mistake of the program, and panics: names that come from a
// file are numbered first.
func Add[R any](d *Definition, s Step[R]) *Value[R] {
	if slices.ContainsFunc(d.steps, func(other step) bool { return other.name() == s.Name }) {
		panic(fmt.Sprintf("workflow: two steps %q", s.Name))
	}
	v := &Value[R]{step: s.Name}
	d.steps = append(d.steps, &typed[R]{Step: s, value: v})
	return v
}

// Value is the result of a step, once the step is passed.
type Value[R any] struct {
	step  string
	value *R
}

// Later returns a value that is no step's result and that is kept nowhere, and what sets it: a step that finds it in every run sets it, or
// who defines the steps has it from before. step names who finds it.
func Later[R any](step string) (v *Value[R], set func(R)) {
	v = &Value[R]{step: step}
	return v, func(r R) { v.value = &r }
}

// Get returns the result. To ask for that of a step which was not passed, or was skipped, is a mistake of the program,
// and panics.
func (v *Value[R]) Get() R {
	if v.value == nil {
		panic(fmt.Sprintf("workflow: there is no result of %q yet", v.step))
	}
	return *v.value
}

// Known reports whether there is a result.
func (v *Value[R]) Known() bool { return v.value != nil }

// Kind is what happened to a step.
type Kind string

// The kinds of events.
const (
	Started Kind = "started"
	Done    Kind = "done"    // Do did it
	Found   Kind = "found"   // it was done already
	Skipped Kind = "skipped" // for the reason in Evidence
	Failed  Kind = "failed"
)

// Event is what is kept of something that happened to a step.
type Event struct {
	Step     string          `json:"step"`
	Kind     Kind            `json:"event"`
	Evidence string          `json:"evidence,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"` // of a failure, what an error in its chain has as Kept() any
	Error    string          `json:"error,omitempty"`
	Stopped  bool            `json:"stopped,omitempty"` // of Failed: the run was stopped, as by Ctrl-C, and the step with it
	Took     time.Duration   `json:"took_ns,omitempty"`
}

// Reporter shows what is going on to a person.
type Reporter interface {
	// Step runs f and shows the name, the time, and the evidence that f returned.
	Step(name string, f func() (evidence string, err error)) error
	// Skipped shows a step that was skipped, and why.
	Skipped(name, why string)
}

// silent shows nothing.
type silent struct{}

func (silent) Step(_ string, f func() (string, error)) error {
	_, err := f()
	return err
}

func (silent) Skipped(string, string) {}
