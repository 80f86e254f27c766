package view

import (
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/pause"
)

// sayAgain is the interval at which a wait or a running step is reported again. Tests shorten it.
var sayAgain = 10 * time.Second

// waits holds the current waits that have been shown.
type waits struct {
	mu    sync.Mutex
	shown map[string]*shownWait
}

type shownWait struct {
	said time.Time // time at which a line was last printed, or the wait began
	once bool      // whether a line was printed
	held bool      // whether it was reported that a person must act
	line *string   // text on the live line
}

// isWaiting reports whether a wait is shown. If so, the line of the wait shows the progress.
func (v *View) isWaiting() bool {
	v.waits.mu.Lock()
	defer v.waits.mu.Unlock()
	return len(v.waits.shown) > 0
}

// Waiting shows the progress of a wait: its purpose, its start, its deadline, and the last state. It is the Tell of a [pause.Wait]. A terminal shows
// it in the step's live line. An untruncated line is printed once after ten seconds, and when the user must act. Without a terminal, it is printed
// every ten seconds.
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
		v.child.CompareAndSwap(w.line, nil) // a child may have written something since
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
