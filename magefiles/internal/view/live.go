package view

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// A live line shows the current activity on a terminal. It is the last line, is redrawn four times a second, and is erased before anyone else writes:
// we, a child that has the terminal (Hold), or a user who answers a question (Ask). A board is a group of live lines above it.

// redraw is the interval between updates of a live line.
const redraw = 250 * time.Millisecond

// erase removes a live line, and eraseAbove the line above it.
const erase, eraseAbove = "\r\x1b[K", "\x1b[A\x1b[K"

// mostRows limits the number of rows of a board, because a terminal may be short.
const mostRows = 16

// liveLine is a line that can be shown. Only the most recent one is shown.
type liveLine struct{ text func() string }

// onTerminal is the view whose live line is shown.
var onTerminal atomic.Pointer[View]

// keep shows a live line after a short delay, until end is called.
func (v *View) keep(after time.Duration, text func() string) (end func()) {
	line := &liveLine{text: text}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		timer := time.NewTimer(after)
		defer timer.Stop()
		select {
		case <-stop:
			return
		case <-timer.C:
		}
		v.change(func() { v.live = append(v.live, line) })
		tick := time.NewTicker(redraw)
		defer tick.Stop()
		for {
			v.draw(line)
			select {
			case <-stop:
				v.change(func() {
					for i, l := range v.live {
						if l == line {
							v.live = append(v.live[:i:i], v.live[i+1:]...)
							return
						}
					}
				})
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// Board shows a table on a terminal, and updates it until end is called. The first row is the header. Without a terminal, Board is a no-op.
func (v *View) Board(rows func() [][]string) (end func()) {
	if !v.Color {
		return func() {}
	}
	v.board.Store(&rows)
	gone := v.keep(0, func() string { return "" })
	return func() {
		gone()
		v.board.CompareAndSwap(&rows, nil)
	}
}

// rows returns the lines of the board.
func (v *View) rows() (lines []string) {
	rows := v.board.Load()
	if rows == nil {
		return nil
	}
	lines = align((*rows)())
	if more := len(lines) - mostRows; more > 0 {
		lines = append(lines[:mostRows], fmt.Sprintf("  and %d more", more))
	}
	return lines
}

// change changes the live lines, and removes the one that is shown.
func (v *View) change(how func()) {
	v.lock()
	defer v.unlock()
	how()
}

// draw writes a live line, if it is the last one, and no question is open.
func (v *View) draw(line *liveLine) {
	lines := v.rows()
	if text := line.text(); text != "" {
		lines = append(lines, text)
	}
	v.mu.Lock()
	held.RLock()
	defer v.unlock()
	if v.asking > 0 || v.live[len(v.live)-1] != line || len(lines) == 0 {
		return
	}
	width := v.width()
	erased := v.eraseSequence()
	var shown []string
	for _, text := range lines {
		text, wide := cut(Plain(text), width-1)
		shown = append(shown, string(v.paint(faint, text)))
		v.drawn = append(v.drawn, wide)
	}
	fmt.Fprint(v.Err, erased+strings.Join(shown, "\n"))
	onTerminal.Store(v)
}

// width returns the width of the terminal, in columns.
func (v *View) width() int {
	if v.Width == nil {
		return 80
	}
	return v.Width()
}

// takeAway erases the live line. The caller must hold the locks.
func (v *View) takeAway() {
	if len(v.drawn) > 0 {
		fmt.Fprint(v.Err, v.eraseSequence())
		onTerminal.CompareAndSwap(v, nil)
	}
}

// eraseSequence returns the escape sequences that erase what is drawn. A line takes several rows if the terminal has become narrower.
func (v *View) eraseSequence() string {
	rows, width := 0, v.width()
	for _, wide := range v.drawn {
		rows += max((wide+width-1)/width, 1)
	}
	v.drawn = nil
	return erase + strings.Repeat(eraseAbove, max(rows-1, 0))
}

// Heard stores the last line of a child's output, for the step's live line.
func (v *View) Heard(line string) { v.child.Store(&line) }

// lastHeard returns the last line that a child has written since the step began.
func (v *View) lastHeard() string {
	line := v.child.Load()
	if line == nil {
		return ""
	}
	return strings.Join(strings.Fields(plainChild(color.ReplaceAllString(*line, ""))), " ")
}

// cut truncates a line to a number of terminal columns, and returns the result and its width. Characters from U+1100 on count as two columns, because
// they are, or may be, wide on some terminals. Our own marks are in that range, but count as one.
func cut(text string, columns int) (begin string, wide int) {
	room := columns
	for i, r := range text {
		more := 1
		if r >= 0x1100 {
			more = 2
		}
		if more > room {
			return text[:i], wide
		}
		room -= more
		if more == 2 && strings.ContainsRune(marks, r) {
			more = 1
		}
		wide += more
	}
	return text, wide
}

// `marks` holds the marks that we write in live lines.
const marks = "▸…→✓✗○"
