package view

import (
	"cmp"
	"io"
	"strings"
	"sync"
)

// Inner shows the output of a child that is one of our own programs. At a terminal it wraps the lines, because the child does not write to the
// terminal itself. It drops the child's next step, because this run prints its own.
func (v *View) Inner(out io.Writer) Lines { return &inner{view: v, out: out, ours: true} }

// Lines receives a program's output, line by line.
type Lines interface {
	io.Writer
	EndLine() error // the program has ended: the remaining text is a line
}

// arrow is the beginning of a next step.
const arrow = "→ "

type inner struct {
	view *View
	out  io.Writer // if nil, the view's Err
	ours bool      // the output is from one of our programs; in other output, an arrow means nothing

	mu   sync.Mutex
	part string // part of a line
}

// Write implements io.Writer. It buffers an incomplete line.
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
	text := i.view.broken(line, 4) + "\n"
	if m := stepLine().FindStringSubmatch(line); i.ours && m != nil {
		text = cmp.Or(i.view.formatListed(m[1], m[2]), text)
	}
	_, err := io.WriteString(cmp.Or(i.out, i.view.Err), text)
	return err
}
