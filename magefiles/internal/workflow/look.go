package workflow

import (
	"context"
	"fmt"
	"time"
)

// Standing is what the events and the world say of one step.
type Standing struct {
	Step     string `json:"step"`
	Recorded Kind   `json:"recorded,omitempty"` // the last event; "" where there is none
	Said     string `json:"said,omitempty"`     // with its evidence or error
	Stopped  bool   `json:"stopped,omitempty"`  // the last run was stopped in it
	World    Answer `json:"world"`
	Seen     string `json:"seen,omitempty"` // the world's evidence, or why it cannot be told
}

// Answer is what the world says of a step.
type Answer string

// What the world says of a step.
const (
	IsDone    Answer = "done"
	IsNotDone Answer = "not done"
	NotAsked  Answer = "not asked" // what the question needs is not known yet
	Trouble   Answer = "trouble"   // it does not answer, or something is in the way
	NotNeeded Answer = "skipped"
)

// Look asks the world about every step, and changes nothing. Each question may take so long.
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

// ask fills in what the world says. known says that later steps may be asked.
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
