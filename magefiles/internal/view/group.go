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

// Group begins a group, and prints that it has started.
func (v *View) Group(name string) *Group {
	v.Say("%s %s", v.paint(faint, "▸"), name)
	return &Group{view: v, name: name, start: time.Now()}
}

// Write buffers p until Done.
func (g *Group) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.buf.Write(p)
}

// writing is held while a group writes. Each target that is a dependency has a separate view, so several views may write at the same time.
var writing sync.Mutex

// Done writes the collected output and a closing line with the outcome, and returns err.
func (g *Group) Done(err error) error {
	v := g.view
	v.lock()
	defer v.unlock()
	g.mu.Lock()
	defer g.mu.Unlock()
	writing.Lock()
	defer writing.Unlock()
	v.joinPipes()
	line := v.text("%s %s (%s)", v.mark(err), g.name, columns.Took(time.Since(g.start)))
	fold := v.Actions && err == nil && v.folded == nil // GitHub does not nest groups
	if fold {
		fmt.Fprintln(v.Out, beginFold(g.name))
	} else {
		fmt.Fprintln(v.Out, v.paint(bold, Plain("── "+g.name)))
	}
	if g.buf.Len() > 0 {
		v.writeChild(v.Out, g.buf.String())
	}
	if fold {
		fmt.Fprintln(v.Out, endFold)
	}
	fmt.Fprintln(v.Out, line)
	v.summarize(err == nil, g.name, columns.Took(time.Since(g.start)), "")
	if v.Actions && err != nil {
		v.annotate(annotation.Annotation{Title: g.name, Message: err.Error()})
		v.annotate(annotation.Find(g.buf.String(), v.Lookup)...)
	}
	return err
}
