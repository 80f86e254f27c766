package about

import (
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// Without returns a writer for the output of one of our programs. It passes on each line, unless `drops` returns true for the line.
func Without(to view.Lines, drops func(line string) bool) view.Lines {
	return &without{Lines: to, drops: drops}
}

type without struct {
	view.Lines
	drops func(line string) bool

	mu   sync.Mutex
	part string // incomplete line
}

// Write implements io.Writer. An incomplete line is buffered.
func (w *without) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for line := range strings.Lines(w.part + string(p)) {
		w.part = line
		if !strings.HasSuffix(line, "\n") {
			return len(p), nil
		}
		w.part = ""
		if err := w.pass(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// EndLine implements view.Lines.
func (w *without) EndLine() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := w.part
	w.part = ""
	if err := w.pass(line); err != nil {
		return err
	}
	return w.Lines.EndLine()
}

func (w *without) pass(line string) error {
	if w.drops(strings.TrimSuffix(line, "\n")) {
		return nil
	}
	_, err := w.Lines.Write([]byte(line))
	return err
}

// ErrorAfter returns a function that reports whether a line is part of the final error of a program that was stopped. The process that stopped it
// reports the reason.
func ErrorAfter(stopped func() bool) func(line string) bool {
	in := false
	return func(line string) bool {
		in = in || strings.HasPrefix(line, "Error: ") && stopped()
		return in
	}
}
