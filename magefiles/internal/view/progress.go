package view

import (
	"fmt"
	"sync"
	"time"

	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Progress shows the progress of the transfer of several files: a line for each completed file and, after the first second, the share of all bytes.
// On a terminal that is a live line. Elsewhere, a new line is printed every ten seconds. Its methods are safe for concurrent use.
type Progress struct {
	view *View

	mu          sync.Mutex
	files, done int
	bytes       int64
	sent        map[string]int64
	sizes       map[string]int64
	end         func()
}

// Progress returns a Progress that shows nothing before Begin is called.
func (v *View) Progress() *Progress { return &Progress{view: v} }

// Begin sets the total size.
func (p *Progress) Begin(files int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files, p.bytes, p.done = files, bytes, 0
	p.sent, p.sizes = map[string]int64{}, map[string]int64{}
	p.end = p.begin()
}

// ShowSent records how much of a file has been sent.
func (p *Progress) ShowSent(file string, sent, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[file], p.sizes[file] = sent, size
}

// Done shows that a file was sent, or that it failed.
func (p *Progress) Done(file string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.view.Say("  %s %s (%d of %s, %s)", p.view.mark(err), file, p.done, operr.Count(p.files, "file"), p.share())
}

// End stops the display.
func (p *Progress) End() { p.end() }

// begin shows the progress: in a live line, or in a line every ten seconds.
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
			break // one live line is enough to show progress
		}
	}
	return line
}

// share returns the fraction of all bytes that has been sent. Bytes that are sent again are not counted twice.
func (p *Progress) share() string {
	var sent int64
	for _, n := range p.sent {
		sent += n
	}
	return fmt.Sprintf("%s of %s", columns.Size(sent), columns.Size(p.bytes))
}
