package view

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Group collects the output of one of several jobs that run side by side, and writes it in one piece when the job is
// done. It is an io.Writer.
type Group struct {
	view  *View
	name  string
	start time.Time

	mu  sync.Mutex
	buf bytes.Buffer
}

// Group begins a group and says so.
func (v *View) Group(name string) *Group {
	v.Say("%s %s", v.paint(faint, "▸"), name)
	return &Group{view: v, name: name, start: time.Now()}
}

// Write keeps p for Done.
func (g *Group) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Write(p)
}

// Done writes what was collected, with a closing line that says how it ended, and returns err.
func (g *Group) Done(err error) error {
	v := g.view
	v.lock()
	defer v.unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	line := v.text("%s %s (%s)", v.mark(err), g.name, took(time.Since(g.start)))
	fold := v.Actions && err == nil
	if fold {
		fmt.Fprintln(v.Out, "::group::"+escapeData(escape(g.name)))
	} else {
		fmt.Fprintln(v.Out, v.paint(bold, Plain("── "+g.name)))
	}
	if g.buf.Len() > 0 {
		v.writeChild(v.Out, g.buf.String())
	}
	if fold {
		fmt.Fprintln(v.Out, "::endgroup::")
	}
	fmt.Fprintln(v.Out, line)
	if v.Actions && err != nil {
		fmt.Fprintf(v.Out, "::error title=%s::%s\n", escapeProperty(g.name), escapeData(err.Error()))
	}
	return err
}

// escapeData and escapeProperty are the runner's own encoding of workflow commands (actions/toolkit, command.ts).
func escapeData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

func escapeProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(escapeData(s))
}
