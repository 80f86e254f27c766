package view

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// A live line says, on a terminal, what is going on now. It is the last line, is written over four times a second, and is gone before anything
// else is written: by us, by a child that is lent the terminal (Hold), or by the person who answers a question (Ask). A board is lines above it,
// of which the same holds.

// redraw is how often a live line is written.
const redraw = 250 * time.Millisecond

// erase takes a live line away, and eraseAbove the line above it.
const erase, eraseAbove = "\r\x1b[K", "\x1b[A\x1b[K"

// mostRows are the lines of a board that are shown: a terminal may have few.
const mostRows = 16

// liveLine is one line that may be shown. The one that was begun last is.
type liveLine struct{ text func() string }

// onTerminal is the view whose live line is shown.
var onTerminal atomic.Pointer[View]

// keep shows a live line from a moment after now on, until end is called.
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

// Board shows a table on a terminal, the first row of which is its header, and writes it over as it changes, until end is called. Elsewhere it shows
// nothing.
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

// rows are the lines of the board.
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

// change changes the live lines, and takes away the one that is shown.
func (v *View) change(how func()) {
	v.lock()
	defer v.unlock()
	how()
}

// draw writes a live line, if it is the last one, and nobody is asked anything.
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
	erased := v.erased()
	var shown []string
	for _, text := range lines {
		text, wide := cut(Plain(text), width-1)
		shown = append(shown, string(v.paint(faint, text)))
		v.drawn = append(v.drawn, wide)
	}
	fmt.Fprint(v.Err, erased+strings.Join(shown, "\n"))
	onTerminal.Store(v)
}

// width is that of the terminal, in columns.
func (v *View) width() int {
	if v.Width == nil {
		return 80
	}
	return v.Width()
}

// takeAway removes the live line that is shown. The caller has the locks.
func (v *View) takeAway() {
	if len(v.drawn) > 0 {
		fmt.Fprint(v.Err, v.erased())
		onTerminal.CompareAndSwap(v, nil)
	}
}

// erased takes away what is drawn. On a terminal that was made narrower since, a line takes several rows.
func (v *View) erased() string {
	rows, width := 0, v.width()
	for _, wide := range v.drawn {
		rows += max((wide+width-1)/width, 1)
	}
	v.drawn = nil
	return erase + strings.Repeat(eraseAbove, max(rows-1, 0))
}

// Heard takes the last line that a child has said, for the live line of a step.
func (v *View) Heard(line string) { v.child.Store(&line) }

// heard is what a child has said since the step began.
func (v *View) heard() string {
	line := v.child.Load()
	if line == nil {
		return ""
	}
	return strings.Join(strings.Fields(plainChild(color.ReplaceAllString(*line, ""))), " ")
}

// cut is the beginning of a line that fits into so many columns of a terminal, and how many it takes. Room is made for two where a character is of East
// Asia, or of those that some terminals show as wide: all from U+1100 on. Our own marks are among these, and take one.
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

// marks are those that we write in live lines.
const marks = "▸…→✓✗○"
