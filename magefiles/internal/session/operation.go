package session

import (
	"context"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workflow"
)

// Operation is a durable operation, whole.
type Operation[P Plan] struct {
	Kind[P]

	// Make makes a plan, and changes nothing. It is asked where no session is unfinished.
	Make func(ctx context.Context) (P, error)

	// Confirm shows a plan and asks. Its error ends the session with nothing changed. It is not asked again by who goes on.
	Confirm func(ctx context.Context, p P) error

	// Define lists the steps of a plan.
	Define func(p P) *workflow.Definition

	// Revert takes back what steps may have done, as far as it finds it: it may be killed, and is called again. Its error leaves the session
	// unfinished. Nil: nothing can be taken back.
	Revert func(ctx context.Context, past *Past[P]) error

	Reporter  workflow.Reporter
	Transient func(error) bool // as in workflow.Run
}

// Run goes on with the session that is unfinished, or begins one. It has the lock meanwhile.
// Errors: each says whether anything was changed, and how to go on.
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
		if err := s.Resume(past); err != nil {
			return nil, err
		}
	} else if past, err = o.begin(ctx, s); err != nil {
		return nil, err
	}
	if err := s.Run(ctx, o.Define(past.Plan), o.Reporter, o.Transient); err != nil {
		return nil, err
	}
	return o.Read(s.Path())
}

// begin makes a plan, and asks.
func (o *Operation[P]) begin(ctx context.Context, s *Session[P]) (*Past[P], error) {
	p, err := o.Make(ctx)
	if err == nil && o.Confirm != nil {
		err = o.Confirm(ctx, p)
	}
	if err == nil {
		err = s.Agree(p)
	}
	return &Past[P]{Plan: p}, err
}

// Undo takes the session back that is unfinished.
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
	if err := o.Revert(ctx, past); err != nil {
		return nil, operr.New("`"+o.Type.Undo+"` goes on from here", "taking %s back: %w", past.Plan.Label(), err)
	}
	return past, o.end(past, Undone)
}

// Look says where the last session stands, and changes nothing; nil where there is none. Each question to the world may take so long.
func (o *Operation[P]) Look(ctx context.Context, each time.Duration) (*Past[P], []workflow.Standing, error) {
	past, err := o.Last()
	if past == nil || err != nil {
		return nil, nil, err
	}
	return past, o.Define(past.Plan).Look(ctx, past.Records, each), nil
}

func (o *Operation[P]) unfinished() (*Past[P], error) {
	past, err := o.Last()
	if err != nil || past == nil || past.End != "" {
		return nil, err
	}
	return past, nil
}

func (o *Operation[P]) end(past *Past[P], e End) error {
	s := o.New()
	defer s.Close()
	if err := s.Resume(past); err != nil {
		return err
	}
	past.End = e
	return s.End(e)
}
