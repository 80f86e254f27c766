package view

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
)

// Step runs f and writes one line: a mark, the name, the time and the evidence that f returned. If the step asked a question, the line has no time,
// because it would include the user's. If such a step fails, there is no line, because a no or a Ctrl-C is reported elsewhere. After a second, a step
// is announced. On a terminal, a live line shows its time and the child's last line. Elsewhere, a line announces it, and another follows every ten
// seconds if the child has written something new.
func (v *View) Step(name string, f func() (evidence string, err error)) error {
	start, asked := time.Now(), v.questions()
	evidence, err := func() (string, error) {
		defer v.fold(name)() // also if f panics, so that the panic's message is not folded
		defer v.announce(name, start)()
		return f()
	}()
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

// questions returns the number of questions asked so far.
func (v *View) questions() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.asked
}

func (v *View) announce(name string, start time.Time) (end func()) {
	v.child.Store(nil)
	if v.Color {
		return v.keep(time.Second, func() string {
			return strings.TrimRight(fmt.Sprintf("  ▸ %-24s %6s  %s", name, columns.Took(time.Since(start)), v.lastHeard()), " ")
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
			heard := v.lastHeard()
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

// mostSaid limits the width of a child's line that is shown for a running step.
const mostSaid = 100

// going reports that a step still runs, if there is no live line.
func (v *View) going(format string, args ...any) {
	v.mu.Lock() // no fold is begun for this line, so that it is seen while the step runs
	held.RLock()
	defer v.unlock()
	v.takeAway()
	if v.asking == 0 { // during a question, the person sees the question
		fmt.Fprintln(v.Err, v.hung(v.text("  %s "+format, append([]any{v.paint(faint, "▸")}, args...)...)))
	}
}

// step returns the line of a step that has ended.
func (v *View) step(name, lasted, evidence string, err error) string {
	if err != nil {
		evidence = "stopped here"
	}
	if text := v.formatListed(v.text("%s %-26s %6s", v.mark(err), name, lasted), v.text("%s", evidence)); text != "" {
		return text
	}
	return v.broken(v.text("%s %-26s %6s  %s", v.mark(err), name, lasted, evidence), 4) + "\n"
}

// Step is like View.Step, but the line is buffered until Done.
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

// ShowSkipped writes the line of a skipped step.
func (v *View) ShowSkipped(name, why string) {
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

// Text writes a line of prose to the result. At a terminal it is wrapped. Line does not wrap, so that commands and paths remain whole.
func (v *View) Text(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.hung(v.text(format, args...)))
}

// Next writes the last line of a successful target: the next step for the user, such as a command line in backquotes. It writes nothing in a job of a
// CI, or if the command line has several targets.
func (v *View) Next(format string, args ...any) {
	v.lock()
	defer v.unlock()
	if v.Leads() {
		fmt.Fprintln(v.Out, v.broken(arrow+v.text(format, args...), 2))
	}
}

// Leads reports whether Next writes anything.
func (v *View) Leads() bool { return !v.InJob && !v.Several }

// broken returns text that fits into the terminal, with continued lines indented. Elsewhere it returns the text unchanged.
func (v *View) broken(text string, indent int) string {
	if !v.Breaks {
		return text
	}
	return columns.Wrap(text, v.width(), indent)
}

// hung wraps text like broken, but indents continuation lines by two columns.
func (v *View) hung(text string) string {
	return v.broken(text, len(text)-len(strings.TrimLeft(text, " "))+2)
}

// Line writes a line of the result.
func (v *View) Line(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.text(format, args...))
}

// Ask writes a question without a newline. At a terminal the question is wrapped. No progress is reported until answered is called.
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

// asking counts the open questions of all views.
var asking atomic.Int32

// ClearInterrupt erases the ^C that a terminal echoes, so that the next line starts clean. After a question, or while a child has the terminal, it is
// a no-op.
func (v *View) ClearInterrupt() {
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
