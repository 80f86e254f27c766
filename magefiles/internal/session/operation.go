package session

import (
	"context"
	"reflect"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Operation describes an operation that can be resumed or undone after a kill.
type Operation[P Plan] struct {
	Kind[P]

	// Make makes a plan without changing anything. It is called if no session is unfinished, and returns a nil plan if there is nothing to do. The
	// plan must contain everything that distinguishes it from similar plans, such as the key by which a webhook recognizes it, because all steps, and
	// Revert, only see the plan as decoded from JSON.
	Make func(ctx context.Context) (P, error)

	// Continue is called instead of Make before Run resumes the unfinished session. It should return an error if the command line asks for another
	// plan: an operr.Stopped that says how to continue and how to undo. The session then remains unfinished. If Continue is nil, any session is
	// resumed.
	Continue func(ctx context.Context, past *Past[P]) error

	// Confirm shows a plan and asks the user. If it returns an error or is interrupted, the session ends with nothing changed. It is not called again
	// when a session is resumed. If it is nil, the user is not asked. In package targets, use pipeline.confirm, which handles -yes and fails without
	// a terminal.
	Confirm func(ctx context.Context, p P) error

	// Define returns the steps of a plan.
	Define func(p P) *workflow.Definition

	// Revert undoes the steps that were begun (Past.Began), last step first. If it is killed, it is called again. If it returns an error, the session
	// remains unfinished, and can still be continued or undone. If Revert is nil, nothing can be undone.
	Revert func(ctx context.Context, past *Past[P]) error

	Reporter  workflow.Reporter // nil shows nothing
	Transient func(error) bool  // as in workflow.Run
}

// Run resumes the unfinished session or begins a new one, under the lock. It returns the session as recorded in its journal; nil if there is nothing
// to do. If Make, Continue or Confirm fails, nothing has changed, and Run returns the error as it is. Errors of a step say how to continue.
func (o *Operation[P]) Run(ctx context.Context) (*Past[P], error) {
	unlock, _, err := o.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s := o.New()
	defer s.Close()
	past, err := o.findUnfinished()
	if err != nil {
		return nil, err
	}
	if past != nil {
		err = o.goOn(ctx, s, past)
	} else {
		past, err = o.begin(ctx, s)
	}
	if past == nil || err != nil {
		return nil, err
	}
	d, err := o.define(past.Plan)
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	if err := s.Run(ctx, d, o.Reporter, o.Transient); err != nil {
		return nil, err
	}
	return o.Read(s.Path())
}

func (o *Operation[P]) goOn(ctx context.Context, s *Session[P], past *Past[P]) error {
	if o.Continue != nil {
		if err := o.guard(func() error { return o.Continue(ctx, past) }); err != nil {
			return err
		}
	}
	return s.Resume(past)
}

// begin makes a plan, asks the user, and begins a session. It reads the session back from the journal, so that the first run sees exactly the same
// plan as a resumed run.
func (o *Operation[P]) begin(ctx context.Context, s *Session[P]) (*Past[P], error) {
	var p P
	err := o.guard(func() (err error) {
		if p, err = o.Make(ctx); err != nil || o.isNil(p) || o.Confirm == nil {
			return err
		}
		return o.Confirm(ctx, p)
	})
	if err == nil {
		err = context.Cause(ctx) // Ctrl-C at the prompt means no
	}
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	if o.isNil(p) {
		return nil, nil
	}
	if err := s.Agree(p); err != nil {
		return nil, err
	}
	return o.Read(s.Path())
}

// Undo undoes the unfinished session. It is an error if there is none. To undo a session that has ended, run another operation whose plan is made
// from the last session ([Kind.Last]). Once an undo has begun, earlier events no longer count as done: if Run is called instead of Undo, each Check
// gets no record and must look at the actual state.
func (o *Operation[P]) Undo(ctx context.Context) (*Past[P], error) {
	unlock, _, err := o.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	past, err := o.findUnfinished()
	switch {
	case err != nil:
		return nil, err
	case past == nil:
		return nil, operr.New("`"+o.Type.Status+"` shows what was done last", "no %s is unfinished: there is nothing to undo", o.Name)
	case o.Revert == nil:
		return nil, operr.NewStopped("run `"+o.Type.Run+"` to continue", "the %s %s cannot be undone", o.Name, past.Plan.Label())
	}
	s := o.New()
	defer s.Close()
	if err := s.Resume(past); err != nil {
		return nil, err
	}
	err = s.append(kindUndo, struct{}{})
	if err == nil {
		err = o.guard(func() error { return o.Revert(ctx, past) })
	}
	if err == nil {
		err = s.End(Undone)
	}
	if err != nil {
		next := nextWith("`"+o.Type.Undo+"` continues from here", err)
		return nil, operr.New(next, "undoing %s: %w", past.Plan.Label(), err).WithWayOn()
	}
	past.End, past.Undoing = Undone, false
	return past, nil
}

// Look returns the last session and the state of its steps without changing anything; nil if there is none. `each` limits how long each step's Check
// may take. If an Undo has not ended, Past.Undoing is set.
func (o *Operation[P]) Look(ctx context.Context, each time.Duration) (*Past[P], []workflow.Standing, error) {
	past, err := o.Last()
	if past == nil || err != nil {
		return nil, nil, err
	}
	d, err := o.define(past.Plan)
	if err != nil {
		return nil, nil, err
	}
	return past, d.Look(ctx, past.standing(), each), nil
}

func (o *Operation[P]) findUnfinished() (*Past[P], error) {
	past, err := o.Last()
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	return past, nil
}

func (o *Operation[P]) define(p P) (d *workflow.Definition, err error) {
	err = o.guard(func() error {
		d = o.Define(p)
		return nil
	})
	return d, err
}

// guard calls `f` and converts a panic to an error, so that the journal is closed and the lock is released.
func (*Operation[P]) guard(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = operr.FromPanic(v)
		}
	}()
	return f()
}

func (*Operation[P]) isNil(p P) bool {
	v := reflect.ValueOf(p)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}
