package view

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/actions/annotation"
	"github.com/foopack/foopack/magefiles/internal/columns"
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
	line := v.text("%s %s (%s)", v.mark(err), g.name, columns.Took(time.Since(g.start)))
	fold := v.Actions && err == nil
	if fold {
		fmt.Fprintln(v.Out, "::group::"+annotation.EscapeData(escape(g.name)))
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
	v.summarize(err == nil, g.name, columns.Took(time.Since(g.start)), "")
	if v.Actions && err != nil {
		v.annotate(annotation.Annotation{Title: g.name, Message: err.Error()})
		v.annotate(annotation.Find(g.buf.String(), v.Lookup)...)
	}
	return err
}
