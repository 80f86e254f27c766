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

// Run is one run of a definition, the first or a later one. Each run needs a new Definition.
type Run struct {
	Definition *Definition
	Past       []Event           // events of earlier runs, oldest first
	Keep       func(Event) error // records an event, which must be on disk when it returns
	Reporter   Reporter          // may be nil

	Transient func(error) bool                                 // reports whether a step with Retries is retried after the error; nil means never
	Pause     func(ctx context.Context, d time.Duration) error // waits between retries; nil means sleep
}

// Do runs every step that is not done. It returns the first error, prefixed with the step's name.
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
			err = r.recheck(ctx, r.Definition.steps[:i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// step runs one step. `waited` reports whether its Do was called and may have taken long.
func (r *Run) step(ctx context.Context, s step) (waited bool, err error) {
	why, err := s.skip()
	if err != nil {
		return false, r.recordFailure(ctx, s, err)
	}
	if why != "" {
		r.Reporter.ShowSkipped(s.name(), why)
		return false, r.Keep(Event{Step: s.name(), Kind: Skipped, Evidence: why})
	}
	last := historyOf(r.Past, s.name())
	var kind Kind
	err = r.Reporter.Step(s.name(), func() (string, error) {
		begin := time.Now()
		found, done, err := r.check(ctx, s, last)
		kind = Found
		if !s.options().does {
			kind = Done // a step without Do only checks, so it is done now
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
	return false, r.recordFailure(ctx, s, err)
}

// recordFailure records that a step failed, or was interrupted with the run. The record is only for people; the next run checks the state again. An
// error in the chain may provide a value to record.
func (r *Run) recordFailure(ctx context.Context, s step, err error) error {
	cause := context.Cause(ctx)
	event := Event{Step: s.name(), Kind: Failed, Error: fmt.Sprintf("%+v", err), Stopped: cause != nil && errors.Is(err, cause)}
	var knows interface{ Kept() any }
	if errors.As(err, &knows) {
		event.Result, _ = json.Marshal(knows.Kept()) // without it the event has no result
	}
	noted := r.Keep(event)
	return errors.Join(fmt.Errorf("%s: %w", s.name(), err), noted)
}

// check calls the step's Check. If Check fails and the step may be half done, the user must decide.
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
			Summary: "the step was begun, but it is not known whether the step is done: " + err.Error(),
			Status:  operr.Stopped,
			Err:     err,
		}
	case err == nil && !done && !s.options().does:
		return found, false, fmt.Errorf("step %q is not done, and its check gave no reason", s.name())
	}
	return found, done, err
}

// `do` calls the step's Do, then its Check to confirm that the step is done.
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

// confirm calls the step's Check, which must see the result of Do.
func (r *Run) confirm(ctx context.Context, s step, did outcome) (outcome, error) {
	if !s.options().checks {
		return did, nil
	}
	seen, done, err := r.check(ctx, s, history{result: did.result, open: true})
	if err == nil && !done {
		err = operr.New("look at the step's result, and run this command again", "the step ended without an error, but its check does not find the result: %s", did.evidence)
	}
	if seen.evidence == "" {
		seen.evidence = did.evidence
	}
	return seen, err
}

// `recheck` checks the earlier steps again.
func (r *Run) recheck(ctx context.Context, steps []step) error {
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
			return fmt.Errorf("checking the step %s again: %w", s.name(), err)
		case !done:
			return operr.New("run this command again", "%s: the step was done, but its check no longer finds the result", s.name())
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

// history summarizes the events of a step.
type history struct {
	result   []byte // result recorded when the step was last done
	open     bool   // the step was started last, with an unknown outcome
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
