package view

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
)

// Step runs f and writes one line: a mark, the name, the time and the evidence that f returned. One that put a question has no time, which was the
// person's, and no line where it ended in an error: that is a no, or a Ctrl-C, and is said as such. What takes longer than a second is
// announced: on a terminal by a live line with the time that it takes and the last line that a child has said; elsewhere by a line, and by another one each
// ten seconds in which a child has said something new.
func (v *View) Step(name string, f func() (evidence string, err error)) error {
	start, asked := time.Now(), v.questions()
	end := v.announce(name, start)
	evidence, err := f()
	end()
	lasted := columns.Took(time.Since(start))
	if v.questions() > asked {
		lasted = ""
	}
	v.lock()
	defer v.unlock()
	if lasted != "" || err == nil {
		fmt.Fprint(v.Out, v.step(name, lasted, evidence, err))
		v.summarize(err == nil, name, lasted, evidence)
	}
	return err
}

// questions is how many were put so far.
func (v *View) questions() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked
}

func (v *View) announce(name string, start time.Time) (end func()) {
	v.child.Store(nil)
	if v.Color {
		return v.keep(time.Second, func() string {
			return strings.TrimRight(fmt.Sprintf("  ▸ %-24s %6s  %s", name, columns.Took(time.Since(start)), v.heard()), " ")
		})
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		next, last := time.NewTimer(time.Second), ""
		defer next.Stop()
		for {
			select {
			case <-stop:
				return
			case <-next.C:
			}
			heard := v.heard()
			switch {
			case last == "":
				v.going("%s …", name)
				last = name
			case heard != "" && heard != last && !v.isWaiting():
				line, _ := cut(heard, mostSaid)
				v.going("%s … %s  %s", name, columns.Took(time.Since(start)), line)
				last = heard
			}
			next.Reset(sayAgain)
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

// mostSaid is how many columns of a child's line are said of a step that goes on.
const mostSaid = 100

// going says of a step, where there is no live line, that it goes on.
func (v *View) going(format string, args ...any) {
	v.lock()
	defer v.unlock()
	if v.asking == 0 { // a person sees what is asked
		fmt.Fprintln(v.Err, v.hung(v.text("  %s "+format, append([]any{v.paint(faint, "▸")}, args...)...)))
	}
}

// step is the line of a step that has ended.
func (v *View) step(name, lasted, evidence string, err error) string {
	if err != nil {
		evidence = "stopped here"
	}
	return v.broken(v.text("%s %-26s %6s  %s", v.mark(err), name, lasted, evidence), 4) + "\n"
}

// Step is View.Step in a group: the line is kept for Done.
func (g *Group) Step(name string, f func() (evidence string, err error)) error {
	start := time.Now()
	evidence, err := f()
	lasted := columns.Took(time.Since(start))
	fmt.Fprint(g, g.view.step(name, lasted, evidence, err))
	g.view.lock()
	defer g.view.unlock()
	g.view.summarize(err == nil, g.name+": "+name, lasted, evidence)
	return err
}

// Skipped writes the line of a step that is not for this run.
func (v *View) Skipped(name, why string) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.broken(v.text("%s %-26s %6s  skipped: %s", v.paint(faint, "○"), name, "", why), 4))
	v.summarizeRow("○", name, "", "skipped: "+why)
}

// Heading writes a line that stands out.
func (v *View) Heading(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.paint(bold, v.broken(v.text(format, args...), 2)))
}

// Text writes a line of the result that is prose: at a terminal it is broken between words, where Line leaves a command or a path whole.
func (v *View) Text(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.hung(v.text(format, args...)))
}

// Next writes the last line of a target that went well: what a person does next, such as a command line in backquotes.
func (v *View) Next(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.broken(arrow+v.text(format, args...), 2))
}

// broken is text that fits into the terminal, with what its lines are continued by indented. Elsewhere it is as it was.
func (v *View) broken(text string, indent int) string {
	if !v.Breaks {
		return text
	}
	return columns.Wrap(text, v.width(), indent)
}

// hung is broken text that is continued two columns behind where it begins.
func (v *View) hung(text string) string {
	return v.broken(text, len(text)-len(strings.TrimLeft(text, " "))+2)
}

// Line writes a line of the result.
func (v *View) Line(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.text(format, args...))
}

// Ask writes a question, without a newline; at a terminal it is broken between words. Nothing is announced until answered is called.
func (v *View) Ask(question string) (answered func()) {
	v.lock()
	defer v.unlock()
	v.asking++
	v.asked++
	asking.Add(1)
	fmt.Fprint(v.Err, v.broken(strings.TrimRight(Plain(question), " "), 2)+" ")
	return func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.asking--
		asking.Add(-1)
	}
}

// asking is how many questions of all views are not answered.
var asking atomic.Int32

// Interrupted takes away what a terminal shows of a Ctrl-C, where it stands in the way of the next line: behind a question it stays. While a child has
// the terminal it does nothing.
func (v *View) Interrupted() {
	if !v.Color || asking.Load() > 0 || !v.mu.TryLock() {
		return
	}
	defer v.mu.Unlock()
	if !held.TryRLock() {
		return
	}
	defer held.RUnlock()
	v.takeAway()
	fmt.Fprint(v.Err, erase)
}
