package pause

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOver is the error of a wait whose time is over.
var ErrOver = errors.New("what was waited for did not come in time")

// Wait looks for something that others bring about, as often as it says, until it is there or the time is over. The zero value looks twice a
// second, and waits as long as its context.
type Wait struct {
	What  string        // what is waited for, in words that go behind "waiting for"
	First time.Duration // between the first look and the second; 0 is half a second
	Times float64       // how much longer each pause is than the one before it; 0 is twice as long
	Most  time.Duration // the longest pause; 0 is First
	For   time.Duration // how long to wait in all; 0 is until the context ends, and a negative time is over after one look

	// Look is how long one look may take where less is left of For; 0 is as long as it takes. A look whose time is over sees its context end,
	// and says what it has seen.
	Look time.Duration

	// Tell is told how it goes after each look: nothing is ready yet, or, the last time, that the wait has ended. Nil is told nothing.
	Tell func(Progress)

	Now   func() time.Time                                 // nil is the clock
	Pause func(ctx context.Context, d time.Duration) error // between two looks; nil is For
}

// Seen is what one look saw.
type Seen struct {
	Done bool   // it is there
	Says string // the last thing seen, for people: what is not there yet
	Held bool   // a person, or another process, has to act first: the time until then does not count
}

// Progress is how a wait goes. Times are those of its clock.
type Progress struct {
	What   string
	Since  time.Time
	Until  time.Time     // when the time is over, as things stand; zero where it never is
	At     time.Time     // when it was looked last
	Waited time.Duration // without the time that does not count
	Seen   Seen          // by the last look
	Ended  bool          // there is no other look
}

// Until calls look until it has seen that all is there. An error of look ends the wait at once, as it is; an ended context does so with its
// cause. Where the time is over the error is ErrOver. There is one look at least, and one when the time is over.
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

// Rest waits for a while by the clock of the wait.
func (w Wait) Rest(ctx context.Context, d time.Duration) error {
	if w.Pause != nil {
		return w.Pause(ctx, d)
	}
	return For(ctx, d)
}

// end is when the time of a wait is over.
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

// String says what is waited for, since when, until when, and what was seen last.
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

// clock is a time of the day, and the day where it is another one than that of from.
func clock(at, from time.Time) string {
	if at.YearDay() != from.YearDay() || at.Year() != from.Year() {
		return at.Format("Jan 2 15:04:05")
	}
	return at.Format("15:04:05")
}
