package pause

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOver is returned when a Wait times out.
var ErrOver = errors.New("the wait ended before the result came")

// Wait polls for a condition until it is met or the time is over. The zero value polls twice a second, until the context ends.
type Wait struct {
	What  string        // description of the condition, to follow "waiting for"
	First time.Duration // pause after the first look; 0 means half a second
	Times float64       // factor by which each pause grows; 0 means 2
	Most  time.Duration // maximum pause; 0 means First
	For   time.Duration // total time; 0 means until the context ends, and a negative value allows only one look

	// Look is the minimum timeout of a single look, even if less time is left of For; 0 means no timeout. After the timeout, the context of the look
	// is canceled, and the look should return what it has seen.
	Look time.Duration

	// Tell is called with the progress after each unsuccessful look, and when the wait ends. It may be nil.
	Tell func(Progress)

	Now   func() time.Time                                 // defaults to time.Now
	Pause func(ctx context.Context, d time.Duration) error // pauses between looks; defaults to For
}

// Seen is the result of a look.
type Seen struct {
	Done bool   // whether the condition is met
	Says string // what is still missing, for display
	Held bool   // whether a user or another process must act first; the wait's time does not advance meanwhile
}

// Progress is the state of a wait. All times are from the wait's clock.
type Progress struct {
	What   string
	Since  time.Time
	Until  time.Time     // when the time will be over; zero if never
	At     time.Time     // time of the last look
	Waited time.Duration // elapsed time, without the time in which someone else had to act
	Seen   Seen          // the result of the last look
	Ended  bool          // whether the wait has ended
}

// Until calls look until the condition is met. If look returns an error, the wait ends and returns it unchanged. If ctx ends, it returns the
// context's cause. If the time is over, it returns ErrOver, but only after at least one look, and a last look at the end.
func (w Wait) Until(ctx context.Context, look func(context.Context) (Seen, error)) (p Progress, err error) {
	w = w.withDefaults()
	p.What, p.Since = w.What, w.Now()
	p.At = p.Since
	p.Until = w.end(p)
	defer func() {
		p.Ended = true
		w.Tell(p)
	}()
	for next := w.First; ; next = min(time.Duration(float64(next)*w.Times), w.Most) {
		seen, err := w.look(ctx, w.For-p.Waited-w.Now().Sub(p.At), look)
		if ctx.Err() != nil {
			return p, context.Cause(ctx)
		}
		if p.Seen = seen; err != nil || seen.Done {
			return p, err
		}
		now := w.Now()
		if !seen.Held {
			p.Waited += now.Sub(p.At)
		}
		p.At, p.Until = now, w.end(p)
		if w.For != 0 && p.Waited >= w.For {
			return p, ErrOver
		}
		w.Tell(p)
		if w.For > 0 && !seen.Held {
			next = min(next, max(w.For-p.Waited, time.Millisecond))
		}
		if err := w.Rest(ctx, next); err != nil {
			return p, err
		}
	}
}

func (w Wait) withDefaults() Wait {
	w.First = cmp.Or(w.First, time.Second/2)
	w.Times = cmp.Or(w.Times, 2)
	w.Most = max(w.Most, w.First)
	if w.Tell == nil {
		w.Tell = func(Progress) {}
	}
	if w.Now == nil {
		w.Now = time.Now
	}
	return w
}

// Rest pauses for the given time, using the wait's clock.
func (w Wait) Rest(ctx context.Context, d time.Duration) error {
	if w.Pause != nil {
		return w.Pause(ctx, d)
	}
	return For(ctx, d)
}

// end returns the time at which the wait will be over.
func (w Wait) end(p Progress) time.Time {
	if w.For == 0 {
		return time.Time{}
	}
	return w.Now().Add(w.For - p.Waited)
}

func (w Wait) look(ctx context.Context, left time.Duration, look func(context.Context) (Seen, error)) (Seen, error) {
	if w.For == 0 || w.Look == 0 {
		return look(ctx)
	}
	looking, cancel := context.WithTimeout(ctx, max(left, w.Look))
	defer cancel()
	return look(looking)
}

// String returns a description of the wait: the condition, the start and end times, and what was seen last.
func (p Progress) String() string {
	text := fmt.Sprintf("waiting for %s since %s", p.What, clock(p.Since, p.Since))
	if !p.Until.IsZero() {
		text += ", until " + clock(p.Until, p.Since)
	}
	if p.Seen.Says != "" {
		text += ": " + p.Seen.Says
	}
	return text
}

// clock formats a time of day, with the date if that differs from the date of `from`.
func clock(at, from time.Time) string {
	if at.YearDay() != from.YearDay() || at.Year() != from.Year() {
		return at.Format("Jan 2 15:04:05")
	}
	return at.Format("15:04:05")
}
