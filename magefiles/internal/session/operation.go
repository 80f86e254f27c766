package session

import (
	"context"
	"reflect"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Operation is a durable operation, whole.
type Operation[P Plan] struct {
	Kind[P]

	// Make makes a plan, and changes nothing. It is asked where no session is unfinished. A nil plan is for where there is nothing to do. What
	// tells this plan from one like it, such as the key that a webhook is to know it by, is in the plan: the steps of each run, and the
	// way back, get what JSON keeps of it, and nothing else.
	Make func(ctx context.Context) (P, error)

	// Continue is asked before Run goes on with the session that is unfinished, in place of Make: the command line may mean another plan. Its
	// error, an operr.Stopped that names both ways out, leaves the session as it is. Nil: whatever was begun goes on.
	Continue func(ctx context.Context, past *Past[P]) error

	// Confirm shows a plan and asks. Its error, and an interrupt meanwhile, ends the session with nothing changed. It is not asked again by
	// who goes on. Nil asks nothing. In package targets app.confirm asks: it knows -yes, and stops where there is no terminal.
	Confirm func(ctx context.Context, p P) error

	// Define lists the steps of a plan.
	Define func(p P) *workflow.Definition

	// Revert takes back what steps may have done (Past.Began), as far as it finds it, the last step first: it may be killed, and is called again.
	// Its error leaves the session unfinished, with both ways open. Nil: nothing can be taken back.
	Revert func(ctx context.Context, past *Past[P]) error

	Reporter  workflow.Reporter // nil shows nothing
	Transient func(error) bool  // as in workflow.Run
}

// Run goes on with the session that is unfinished, or begins one. It has the lock meanwhile. It returns the session as its journal has it;
// nil where there is nothing to do.
// Errors: those of Make, Continue and Confirm are returned as they are, and nothing was changed; those of a step say how to go on.
func (o *Operation[P]) Run(ctx context.Context) (*Past[P], error) {
	unlock, _, err := o.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	s := o.New()
	defer s.Close()
	past, err := o.unfinished()
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
		if err := o.guarded(func() error { return o.Continue(ctx, past) }); err != nil {
			return err
		}
	}
	return s.Resume(past)
}

// begin makes a plan, and asks. What is returned is read from the journal, so that this run has no more of the plan than one that goes on.
func (o *Operation[P]) begin(ctx context.Context, s *Session[P]) (*Past[P], error) {
	var p P
	err := o.guarded(func() (err error) {
		if p, err = o.Make(ctx); err != nil || o.isNil(p) || o.Confirm == nil {
			return err
		}
		return o.Confirm(ctx, p)
	})
	if err == nil {
		err = context.Cause(ctx) // who leaves at the question has not agreed
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

// Undo takes the session back that is unfinished; it is an error that none is. One that has ended is taken back by a session of its own, whose
// plan is made of the last one's ([Kind.Last]). Once it was begun, events do not count as done any more: who runs the operation in place of
// going on with the undo asks the world alone, and each Check is told that nothing was recorded.
func (o *Operation[P]) Undo(ctx context.Context) (*Past[P], error) {
	unlock, _, err := o.Lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	past, err := o.unfinished()
	switch {
	case err != nil:
		return nil, err
	case past == nil:
		return nil, operr.New("`"+o.Type.Status+"` says what there is", "no %s is unfinished: there is nothing to undo", o.Name)
	case o.Revert == nil:
		return nil, operr.NewStopped("`"+o.Type.Run+"` goes on with it", "the %s %s cannot be taken back", o.Name, past.Plan.Label())
	}
	s := o.New()
	defer s.Close()
	if err := s.Resume(past); err != nil {
		return nil, err
	}
	err = s.append(kindUndo, struct{}{})
	if err == nil {
		err = o.guarded(func() error { return o.Revert(ctx, past) })
	}
	if err == nil {
		err = s.End(Undone)
	}
	if err != nil {
		next := nextWith("`"+o.Type.Undo+"` goes on from here", err)
		return nil, operr.New(next, "taking %s back: %w", past.Plan.Label(), err).WithWayOn()
	}
	past.End, past.Undoing = Undone, false
	return past, nil
}

// Look says where the last session stands, and changes nothing; nil where there is none. Each question to the world may take so long.
// Past.Undoing is for an Undo that has not come to its end.
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

func (o *Operation[P]) unfinished() (*Past[P], error) {
	past, err := o.Last()
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	return past, nil
}

func (o *Operation[P]) define(p P) (d *workflow.Definition, err error) {
	err = o.guarded(func() error {
		d = o.Define(p)
		return nil
	})
	return d, err
}

// guarded is f's error, also where it panics: then nothing is left half said, and the journal is let go.
func (*Operation[P]) guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = operr.Panicked(v)
		}
	}()
	return f()
}

func (*Operation[P]) isNil(p P) bool {
	v := reflect.ValueOf(p)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}
