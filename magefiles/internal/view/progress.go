package view

import (
	"fmt"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Progress shows how far the transfer of several files is: a line for each file that is done, and, while it takes
// longer than a second, how much of it all is through. On a terminal that line is written over; elsewhere a new one
// comes every ten seconds. Its methods may be called from several goroutines.
type Progress struct {
	view *View

	mu          sync.Mutex
	files, done int
	bytes       int64
	sent        map[string]int64
	sizes       map[string]int64
	end         func()
}

// Progress begins nothing yet: Begin does.
func (v *View) Progress() *Progress { return &Progress{view: v} }

// Begin says how much there is.
func (p *Progress) Begin(files int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files, p.bytes, p.done = files, bytes, 0
	p.sent, p.sizes = map[string]int64{}, map[string]int64{}
	p.end = p.begin()
}

// Sent says how much of a file is out.
func (p *Progress) Sent(file string, sent, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[file], p.sizes[file] = sent, size
}

// Done says that a file is through, or is not.
func (p *Progress) Done(file string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.view.Say("  %s %s (%d of %s, %s)", p.view.mark(err), file, p.done, operr.Count(p.files, "file"), p.share())
}

// End stops showing.
func (p *Progress) End() { p.end() }

// begin shows how far it is: by a live line, or by a line every ten seconds.
func (p *Progress) begin() (end func()) {
	if p.view.Color {
		return p.view.keep(redraw, p.line)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(10 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
				p.view.Say("%s", p.line())
			}
		}
	}()
	return func() {
		close(stop)
		<-ended
	}
}

func (p *Progress) line() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("  ▸ %d of %s, %s", p.done, operr.Count(p.files, "file"), p.share())
	for file, sent := range p.sent {
		if size := p.sizes[file]; sent < size {
			line += fmt.Sprintf("; %s %d%%", file, 100*sent/size)
			break // one is enough to see that something moves
		}
	}
	return line
}

// share is how much of all bytes is out. What is sent a second time is not counted twice.
func (p *Progress) share() string {
	var sent int64
	for _, n := range p.sent {
		sent += n
	}
	return fmt.Sprintf("%s of %s", columns.Size(sent), columns.Size(p.bytes))
}
