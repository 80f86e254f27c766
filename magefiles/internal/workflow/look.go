package workflow

import (
	"context"
	"fmt"
	"time"
)

// Standing describes the recorded and the actual state of one step.
type Standing struct {
	Step     string `json:"step"`
	Recorded Kind   `json:"recorded,omitempty"` // the last event; "" if there is none
	Said     string `json:"said,omitempty"`     // the event's evidence or error
	Stopped  bool   `json:"stopped,omitempty"`  // the last run was interrupted in this step
	World    Answer `json:"world"`
	Seen     string `json:"seen,omitempty"` // evidence from Check, or why there is none
}

// Answer is the result of checking a step.
type Answer string

// These are the possible answers.
const (
	IsDone    Answer = "done"
	IsNotDone Answer = "not done"
	NotAsked  Answer = "not asked" // Check needs a value that is not known yet
	Trouble   Answer = "trouble"   // Check failed, or the state conflicts with the step
	NotNeeded Answer = "skipped"
)

// Look checks every step, and changes nothing. Each check has a time limit.
func (d *Definition) Look(ctx context.Context, events []Event, each time.Duration) (all []Standing) {
	known := true
	for _, s := range d.steps {
		h := historyOf(events, s.name())
		now := Standing{Step: s.name(), Recorded: h.kind, Said: h.evidence, Stopped: h.stopped, World: NotAsked}
		if h.err != "" {
			now.Said = h.err
		}
		if known && s.options().checks {
			known = d.ask(ctx, s, h, each, &now)
		}
		all = append(all, now)
	}
	return all
}

// ask fills in the actual state. `known` reports whether later steps can be checked.
func (d *Definition) ask(ctx context.Context, s step, h history, each time.Duration, now *Standing) (known bool) {
	why, err := s.skip()
	if err != nil {
		now.World, now.Seen = Trouble, err.Error()
		return false
	}
	if why != "" {
		now.World, now.Seen = NotNeeded, why
		return true
	}
	within, cancel := context.WithTimeout(ctx, each)
	defer cancel()
	found, done, err := s.check(within, h.result)
	switch {
	case err != nil && within.Err() != nil && ctx.Err() == nil:
		now.World, now.Seen = Trouble, fmt.Sprintf("no answer within %v", each)
	case err != nil:
		now.World, now.Seen = Trouble, err.Error()
	case done:
		now.World, now.Seen = IsDone, found.evidence
		return true
	default:
		now.World = IsNotDone
	}
	return h.result != nil && s.recall(h.result) == nil
}
