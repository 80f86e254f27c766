package command

import (
	"bytes"
	"io"
)

// Hear sets a function that is called with each line that a child writes for users, with secrets masked. The function must be fast.
func (s *System) Hear(line func(text string)) { s.hear = line }

// listen returns a writer that passes lines to Hear's function, or nil if there is none.
func (s *System) listen(secrets []string) io.Writer {
	if s.hear == nil {
		return nil
	}
	return newRedactor(&liner{to: s.hear}, secrets)
}

// mostHeard limits the buffered part of an incomplete line, in bytes.
const mostHeard = 4 << 10

// liner passes on the last line of each write. A line that is overwritten with \r counts as several lines.
type liner struct {
	to   func(line string)
	rest []byte
}

func (l *liner) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	lines := bytes.FieldsFunc(l.rest, func(r rune) bool { return r == '\n' || r == '\r' })
	ended := len(l.rest) > 0 && (l.rest[len(l.rest)-1] == '\n' || l.rest[len(l.rest)-1] == '\r')
	l.rest = nil
	if n := len(lines); n > 0 && !ended {
		l.rest = bytes.Clone(lines[n-1][max(0, len(lines[n-1])-mostHeard):])
		lines = lines[:n-1]
	}
	for i := len(lines) - 1; i >= 0; i-- {
		if line := bytes.TrimSpace(lines[i]); len(line) > 0 {
			l.to(string(line))
			break
		}
	}
	return len(p), nil
}
