package view

import (
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/pause"
)

// sayAgain is how long a wait, or a step, goes on until it is said again. A test has less patience.
var sayAgain = 10 * time.Second

// waits are the waits under way that were shown.
type waits struct {
	mu    sync.Mutex
	shown map[string]*shownWait
}

type shownWait struct {
	said time.Time // when it was said last, or began
	once bool      // it was said
	held bool      // that somebody has to act was said
	line *string   // on the live line
}

// isWaiting reports whether a wait is under way, which says itself how it goes.
func (v *View) isWaiting() bool {
	v.waits.mu.Lock()
	defer v.waits.mu.Unlock()
	return len(v.waits.shown) > 0
}

// Waiting shows how a wait goes: what is waited for, since when, until when, and what was seen last. It is the Tell of a [pause.Wait]. On a
// terminal that is in the live line of the step; a line of its own, which is not cut, comes once after ten seconds, and when somebody has
// to act. Elsewhere such a line comes every ten seconds.
func (v *View) Waiting(p pause.Progress) {
	v.waits.mu.Lock()
	defer v.waits.mu.Unlock()
	key := p.Since.String() + p.What
	w := v.waits.shown[key]
	if w == nil {
		w = &shownWait{said: p.Since}
		if v.waits.shown == nil {
			v.waits.shown = map[string]*shownWait{}
		}
		v.waits.shown[key] = w
	}
	if p.Ended {
		v.child.CompareAndSwap(w.line, nil) // a child may have said something since
		delete(v.waits.shown, key)
		return
	}
	text := p.String()
	w.line = &text
	v.child.Store(w.line)
	due := p.At.Sub(w.said) >= sayAgain && !(v.Color && w.once)
	if due || p.Seen.Held && !w.held {
		w.said, w.once = p.At, true
		v.Say("  ▸ %s", text)
	}
	w.held = p.Seen.Held
}
