package ptytest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// height is that of every terminal, in rows. What has left the screen can be seen again by whoever scrolls.
const height = 40

// size is how wide the terminal is from a place in what it has said on.
type size struct{ from, columns int }

// Resize makes the terminal so many columns wide. The program is told (SIGWINCH).
func (p *Terminal) Resize(columns int) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sizes = append(p.sizes, size{
		from:    p.said.Len(),
		columns: columns,
	})
	require.NoError(p.t, unix.IoctlSetWinsize(int(p.ours.Fd()), unix.TIOCSWINSZ, &unix.Winsize{
		Row: height,
		Col: uint16(columns),
	}))
}

// Screen is what a person sees at the terminal, with what has left it at the top: a line for each row, without colors, and without spaces at their
// ends. A line that was wider than the terminal takes several rows.
func (p *Terminal) Screen() []string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	rows, err := render(p.said.String(), p.sizes)
	require.NoError(p.t, err)
	return rows
}

// render draws what was said, as a terminal does. It knows what the pipeline writes, and the error names what it does not know.
func render(said string, sizes []size) ([]string, error) {
	s := screen{rows: [][]rune{nil}}
	columns := 80
	for at := 0; at < len(said); {
		for len(sizes) > 0 && sizes[0].from <= at {
			columns, sizes = sizes[0].columns, sizes[1:]
		}
		if said[at] == 0x1b {
			n, err := s.escape(said[at:])
			if err != nil {
				return nil, err
			}
			at += n
			continue
		}
		r := []rune(said[at:min(at+4, len(said))])[0]
		at += len(string(r))
		s.put(r, columns)
	}
	var rows []string
	for _, row := range s.rows {
		rows = append(rows, strings.TrimRight(string(row), " "))
	}
	return rows, nil
}

// screen is what was drawn, and where the cursor is.
type screen struct {
	rows        [][]rune
	row, column int
}

func (s *screen) put(r rune, columns int) {
	switch r {
	case '\r':
		s.column = 0
	case '\n':
		s.down()
	case '\a':
	case '\b':
		s.column = max(0, s.column-1)
	case '\t':
		s.column = min(columns-1, s.column/8*8+8)
	default:
		if s.column >= columns { // the cursor waits behind the last column until there is more
			s.down()
			s.column = 0
		}
		row := s.rows[s.row]
		for len(row) <= s.column {
			row = append(row, ' ')
		}
		row[s.column] = r
		s.rows[s.row] = row
		s.column++
	}
}

func (s *screen) down() {
	s.row++
	if s.row == len(s.rows) {
		s.rows = append(s.rows, nil)
	}
}

// escape follows a sequence that begins with ESC, and returns how long it is.
func (s *screen) escape(text string) (length int, err error) {
	if len(text) < 2 || text[1] != '[' {
		return 0, fmt.Errorf("a terminal of a test does not know %.10q", text)
	}
	end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return 0, fmt.Errorf("a terminal of a test does not know %.10q", text)
	}
	switch of, verb := text[2:2+end], text[2+end]; {
	case verb == 'm':
	case verb == 'K' && of == "":
		s.rows[s.row] = s.rows[s.row][:min(s.column, len(s.rows[s.row]))]
	case verb == 'A' && of == "":
		s.row = max(0, s.row-1)
	default:
		return 0, fmt.Errorf("a terminal of a test does not know %.10q", text)
	}
	return 2 + end + 1, nil
}
