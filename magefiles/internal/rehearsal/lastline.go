package rehearsal

import (
	"bytes"
	"strings"
	"sync"
)

// lastLine keeps the end of what a child prints.
type lastLine struct {
	mu  sync.Mutex
	buf []byte
}

const kept = 16 << 10 // bytes: some hundred lines

func (l *lastLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf = append(l.buf, p...)
	if over := len(l.buf) - kept; over > 0 {
		l.buf = bytes.Clone(l.buf[over:])
	}
	return len(p), nil
}

// last is the last line that says something, without the ornaments that test runners put around it.
func (l *lastLine) last() string {
	for _, line := range reversed(l.lines()) {
		if line = strings.Trim(line, "= \t\r"); line != "" {
			return line
		}
	}
	return "no output"
}

// tail is the last lines, for an error.
func (l *lastLine) tail() string {
	lines := l.lines()
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func (l *lastLine) lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimRight(string(l.buf), "\n"), "\n")
}

func reversed(lines []string) []string {
	out := make([]string, 0, len(lines))
	for i := len(lines) - 1; i >= 0; i-- {
		out = append(out, lines[i])
	}
	return out
}
