package view

import (
	"fmt"
	"sync"
	"time"

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
	stop        chan struct{}
	ended       chan struct{}
	live        bool // the last line is to be written over
}

// Progress begins nothing yet: Begin does.
func (v *View) Progress() *Progress { return &Progress{view: v} }

// Begin says how much there is.
func (p *Progress) Begin(files int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.files, p.bytes, p.done = files, bytes, 0
	p.sent, p.sizes = map[string]int64{}, map[string]int64{}
	p.stop, p.ended = make(chan struct{}), make(chan struct{})
	go p.tick(p.stop, p.ended)
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
	p.clear()
	p.view.Say("  %s %s (%d of %s, %s)", p.view.mark(err), file, p.done, operr.Count(p.files, "file"), p.share())
}

// End stops showing.
func (p *Progress) End() {
	close(p.stop)
	<-p.ended
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *Progress) tick(stop, ended chan struct{}) {
	defer close(ended)
	every := 10 * time.Second
	if p.view.Color {
		every = 200 * time.Millisecond
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			p.show()
		}
	}
}

func (p *Progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("  ▸ %d of %s, %s", p.done, operr.Count(p.files, "file"), p.share())
	for file, sent := range p.sent {
		if size := p.sizes[file]; sent < size {
			line += fmt.Sprintf("; %s %d%%", file, 100*sent/size)
			break // one is enough to see that something moves
		}
	}
	if !p.view.Color {
		p.view.Say("%s", line)
		return
	}
	p.live = true
	p.view.raw("\r\x1b[K" + Plain(line))
}

func (p *Progress) clear() {
	if p.live {
		p.view.raw("\r\x1b[K")
		p.live = false
	}
}

// share is how much of all bytes is out. What is sent a second time is not counted twice.
func (p *Progress) share() string {
	var sent int64
	for _, n := range p.sent {
		sent += n
	}
	return fmt.Sprintf("%s of %s", size(sent), size(p.bytes))
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d B", n)
	case n < 10_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d MB", n/1_000_000)
}

// raw writes to the terminal without a newline.
func (v *View) raw(text string) {
	v.lock()
	defer v.unlock()
	fmt.Fprint(v.Err, text)
}
