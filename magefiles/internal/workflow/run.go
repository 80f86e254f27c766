package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// Run is one run of a definition: the first, or one that continues. A definition is run once; the next run makes its own.
type Run struct {
	Definition *Definition
	Past       []Event           // of earlier runs, the oldest first
	Keep       func(Event) error // keeps an event; it is on the disk when it returns
	Reporter   Reporter          // nil shows nothing

	Transient func(error) bool                                 // whether a step with Retries is tried again; nil: never
	Pause     func(ctx context.Context, d time.Duration) error // between two tries; nil sleeps
}

// Do takes every step that is not done. It returns the first error, which begins with the step's name.
func (r *Run) Do(ctx context.Context) error {
	if r.Reporter == nil {
		r.Reporter = silent{}
	}
	for i, s := range r.Definition.steps {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		waited, err := r.step(ctx, s)
		if err == nil && waited {
			err = r.again(ctx, r.Definition.steps[:i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// step takes one step. waited says that its Do was called and may have taken long.
func (r *Run) step(ctx context.Context, s step) (waited bool, err error) {
	why, err := s.skip()
	if err != nil {
		return false, r.failed(ctx, s, err)
	}
	if why != "" {
		r.Reporter.Skipped(s.name(), why)
		return false, r.Keep(Event{Step: s.name(), Kind: Skipped, Evidence: why})
	}
	last := historyOf(r.Past, s.name())
	var kind Kind
	err = r.Reporter.Step(s.name(), func() (string, error) {
		begin := time.Now()
		found, done, err := r.check(ctx, s, last)
		kind = Found
		if !s.options().does {
			kind = Done // it asks, and has asked
		}
		if err == nil && !done {
			kind = Done
			found, err = r.do(ctx, s, last)
		}
		if err != nil {
			return "", err
		}
		err = r.Keep(Event{Step: s.name(), Kind: kind, Evidence: found.evidence, Result: found.result, Took: time.Since(begin)})
		if kind == Found {
			return "there already: " + found.evidence, err
		}
		return found.evidence, err
	})
	if err == nil {
		return kind == Done && s.options().waits, nil
	}
	return false, r.failed(ctx, s, err)
}

// failed keeps that a step failed, or was stopped with the run, which is for people: what is not kept is asked again. An error may know more that is to
// be kept.
func (r *Run) failed(ctx context.Context, s step, err error) error {
	cause := context.Cause(ctx)
	event := Event{Step: s.name(), Kind: Failed, Error: fmt.Sprintf("%+v", err), Stopped: cause != nil && errors.Is(err, cause)}
	var knows interface{ Kept() any }
	if errors.As(err, &knows) {
		event.Result, _ = json.Marshal(knows.Kept()) // without it less is known
	}
	noted := r.Keep(event)
	return errors.Join(fmt.Errorf("%s: %w", s.name(), err), noted)
}

// check asks the world. Where it does not answer, and the step may have been done in part, a person has to look.
func (r *Run) check(ctx context.Context, s step, last history) (found outcome, done bool, err error) {
	if !s.options().checks {
		return outcome{}, false, nil
	}
	found, done, err = s.check(ctx, last.result)
	switch {
	case err != nil && ctx.Err() != nil:
		return found, false, context.Cause(ctx)
	case err != nil && last.open:
		return found, false, &operr.Error{
			Summary: "it was begun, and whether it was done cannot be told: " + err.Error(),
			Status:  operr.Stopped,
			Err:     err,
		}
	case err == nil && !done && !s.options().does:
		return found, false, fmt.Errorf("the step %q neither is so nor says why not", s.name())
	}
	return found, done, err
}

// do does a step, and asks the world whether it did.
func (r *Run) do(ctx context.Context, s step, last history) (outcome, error) {
	if err := r.Keep(Event{Step: s.name(), Kind: Started}); err != nil {
		return outcome{}, err
	}
	inside := ctx
	if s.options().whole {
		inside = context.WithoutCancel(ctx)
	}
	for try := 0; ; try++ {
		o, err := s.do(inside)
		if err == nil {
			return r.confirm(inside, s, o)
		}
		if cause := context.Cause(inside); cause != nil {
			return o, cause
		}
		if try >= s.options().retries || r.Transient == nil || !r.Transient(err) {
			return o, err
		}
		if err := r.pause(inside, time.Second<<try); err != nil {
			return o, err
		}
		if o, done, err := r.check(inside, s, history{result: last.result, open: true}); err != nil || done {
			return o, err
		}
	}
}

// confirm asks the world whether what was done is there.
func (r *Run) confirm(ctx context.Context, s step, did outcome) (outcome, error) {
	if !s.options().checks {
		return did, nil
	}
	seen, done, err := r.check(ctx, s, history{result: did.result, open: true})
	if err == nil && !done {
		err = operr.New("look at it; run it again", "it was done without an error, and is not there: %s", did.evidence)
	}
	if seen.evidence == "" {
		seen.evidence = did.evidence
	}
	return seen, err
}

// again checks steps that were passed once more.
func (r *Run) again(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if !s.options().checks {
			continue
		}
		why, err := s.skip()
		if why != "" {
			continue
		}
		done := false
		if err == nil {
			_, done, err = s.check(ctx, s.now())
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return fmt.Errorf("%s, asked again: %w", s.name(), err)
		case !done:
			return operr.New("run it again", "%s: it was so, and is not any more", s.name())
		}
	}
	return nil
}

func (r *Run) pause(ctx context.Context, d time.Duration) error {
	if r.Pause != nil {
		return r.Pause(ctx, d)
	}
	return pause.For(ctx, d)
}

// history is what events say of a step.
type history struct {
	result   []byte // of the last time that it was done
	open     bool   // it was started last, and nobody knows how that ended
	kind     Kind
	evidence string
	err      string
	stopped  bool
}

func historyOf(events []Event, name string) (h history) {
	for _, event := range events {
		if event.Step != name {
			continue
		}
		h.kind, h.evidence, h.err, h.stopped = event.Kind, event.Evidence, event.Error, event.Stopped
		h.open = event.Kind == Started || h.open && event.Kind == Failed
		if event.Kind == Done || event.Kind == Found {
			h.result = event.Result
		}
	}
	return h
}
