package view

import (
	"fmt"
	"io"
	"strings"
	"sync"
)

// Inner shows what another program of ours says that is a part of this one's run. At a terminal its lines are broken between words, since that program
// writes to no terminal. Its next step is left out: this run has one of its own.
func (v *View) Inner(out io.Writer) Lines { return &inner{view: v, out: out, ours: true} }

// Lines takes what a program writes, line by line.
type Lines interface {
	io.Writer
	EndLine() error // the program has ended: what it has begun is a line too
}

// arrow begins a next step.
const arrow = "→ "

type inner struct {
	view *View
	out  io.Writer
	ours bool // a program of ours writes: others may begin any line with an arrow

	mu   sync.Mutex
	part string // of a line
}

// Write implements io.Writer. What is no whole line yet is kept until there is more.
func (i *inner) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.view.lock()
	defer i.view.unlock()
	lines := strings.Split(i.part+string(p), "\n")
	i.part = lines[len(lines)-1]
	for _, line := range lines[:len(lines)-1] {
		if err := i.line(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// EndLine implements Lines.
func (i *inner) EndLine() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.part == "" {
		return nil
	}
	i.view.lock()
	defer i.view.unlock()
	line := i.part
	i.part = ""
	return i.line(line)
}

// line shows a line.
func (i *inner) line(line string) error {
	if i.ours && strings.HasPrefix(line, arrow) {
		return nil
	}
	_, err := fmt.Fprintln(i.out, i.view.broken(line, 4))
	return err
}
