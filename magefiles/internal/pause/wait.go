package pause

import (
	"context"
	"fmt"
	"time"
)

// Wait says how to wait for what comes by itself, when it comes: that a container is well, that an index shows a file.
type Wait struct {
	For     time.Duration                                    // at most, from the first look on; 0 is one look
	First   time.Duration                                    // between the first two looks, twice as long after each further one; 0 is half a second
	Longest time.Duration                                    // between any two; 0 is ten seconds
	Look    time.Duration                                    // that a look may take where less is left of For; 0 is five seconds
	Now     func() time.Time                                 // nil is the clock
	Pause   func(ctx context.Context, d time.Duration) error // between two looks; nil sleeps
	Tell    func(seen string, since, most time.Duration)     // says what there was in place of it, after each look; nil says nothing
}

// LateError is why a wait has ended without what was waited for.
type LateError struct {
	Seen  string // by the last look
	After time.Duration
}

func (e *LateError) Error() string {
	return fmt.Sprintf("not there after %v: %s", e.After.Round(time.Second), e.Seen)
}

// Until looks until what is waited for is there. A look says what it sees, in a line, and whether that is it; its error ends the wait. It has
// a time limit of its own. What the last look saw is returned, or is in a [LateError]; who calls it says what to do next.
func (w Wait) Until(ctx context.Context, look func(ctx context.Context) (seen string, there bool, err error)) (seen string, err error) {
	w = w.withDefaults()
	begin := w.Now()
	for next := w.First; ; next = min(2*next, w.Longest) {
		looking, cancel := context.WithTimeout(ctx, max(w.For-w.Now().Sub(begin), w.Look))
		seen, there, err := look(looking)
		slow := looking.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return "", context.Cause(ctx)
		case err != nil && slow:
			seen = "there was no answer"
		case err != nil || there:
			return seen, err
		}
		waited := w.Now().Sub(begin)
		if waited >= w.For {
			return "", &LateError{Seen: seen, After: waited}
		}
		if w.Tell != nil {
			w.Tell(seen, waited, w.For)
		}
		if err := w.Pause(ctx, min(next, max(w.For-waited, time.Millisecond))); err != nil {
			return "", err
		}
	}
}

func (w Wait) withDefaults() Wait {
	orElse := func(d *time.Duration, otherwise time.Duration) {
		if *d == 0 {
			*d = otherwise
		}
	}
	orElse(&w.First, time.Second/2)
	orElse(&w.Longest, 10*time.Second)
	orElse(&w.Look, 5*time.Second)
	if w.Now == nil {
		w.Now = time.Now
	}
	if w.Pause == nil {
		w.Pause = For
	}
	return w
}
