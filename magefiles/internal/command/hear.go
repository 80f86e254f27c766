package command

import (
	"bytes"
	"io"
)

// Hear has a function told of each line that a child says to people, without secrets. It must not take long.
func (s *System) Hear(line func(text string)) { s.hear = line }

// listen is a writer of lines to whoever hears them; nil where nobody does.
func (s *System) listen(secrets []string) io.Writer {
	if s.hear == nil {
		return nil
	}
	return newRedactor(&liner{to: s.hear}, secrets)
}

// mostHeard is how much of a line without an end is kept, in bytes.
const mostHeard = 4 << 10

// liner passes the last line on of what is written. One that is written over is several.
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
