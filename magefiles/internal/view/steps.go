package view

import (
	"fmt"
	"time"
)

// Step runs f and writes one line: a mark, the name, the time and the evidence that f returned. What takes longer than a
// second is announced.
func (v *View) Step(name string, f func() (evidence string, err error)) error {
	start := time.Now()
	announced := make(chan struct{})
	timer := time.AfterFunc(time.Second, func() {
		defer close(announced)
		v.Say("  %s %s …", v.paint(faint, "▸"), name)
	})
	evidence, err := f()
	if !timer.Stop() {
		<-announced
	}
	v.lock()
	defer v.unlock()
	fmt.Fprint(v.Out, v.step(name, start, evidence, err))
	return err
}

// step is the line of a step that has ended.
func (v *View) step(name string, start time.Time, evidence string, err error) string {
	if err != nil {
		evidence = "stopped here"
	}
	return v.text("%s %-26s %6s  %s\n", v.mark(err), name, took(time.Since(start)), evidence)
}

// Step is View.Step in a group: the line is kept for Done.
func (g *Group) Step(name string, f func() (evidence string, err error)) error {
	start := time.Now()
	evidence, err := f()
	fmt.Fprint(g, g.view.step(name, start, evidence, err))
	return err
}

// Skipped writes the line of a step that is not for this run.
func (v *View) Skipped(name, why string) {
	v.lock()
	defer v.unlock()
	fmt.Fprint(v.Out, v.text("%s %-26s %6s  skipped: %s\n", v.paint(faint, "○"), name, "", why))
}

// Heading writes a line that stands out.
func (v *View) Heading(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.paint(bold, v.text(format, args...)))
}

// Line writes a line of the result.
func (v *View) Line(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Out, v.text(format, args...))
}

// Ask writes a question, without a newline.
func (v *View) Ask(question string) { v.raw(Plain(question)) }
