package ptytest

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// height is the height of every terminal, in rows. A person can scroll back to rows that have left the screen.
const height = 40

// size is a width of the terminal, and the position in the output from which this width holds.
type size struct{ from, columns int }

// Resize makes the terminal `columns` columns wide. The program gets SIGWINCH.
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

// Screen returns the rows that a person sees at the terminal, after the rows that have scrolled out at the top: a line for each row, without colors
// and trailing spaces. A line that is wider than the terminal has several rows, and other rows after a change of the width.
func (p *Terminal) Screen() []string {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	rows, err := render(p.said.String(), p.sizes)
	require.NoError(p.t, err)
	return rows
}

// render returns the rows that a terminal shows for an output. Like some terminals, it wraps lines again after a change of the width. It supports only
// the escape sequences that the pipeline writes; its error names the first one that it does not support.
func render(said string, sizes []size) ([]string, error) {
	s := screen{rows: []row{{}}, columns: 80}
	for at := 0; at < len(said) || len(sizes) > 0; {
		if len(sizes) > 0 && sizes[0].from <= at {
			s.resize(sizes[0].columns)
			sizes = sizes[1:]
			continue
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
		s.put(r)
	}
	var rows []string
	for _, row := range s.rows {
		rows = append(rows, strings.TrimRight(string(row.text), " "))
	}
	return rows, nil
}

// screen has what was drawn, and the position of the cursor.
type screen struct {
	rows        []row
	row, column int
	columns     int // width of the screen
}

// row is one row of a screen. A line that is too wide for one row continues in the next.
type row struct {
	text   []rune
	goesOn bool
}

func (s *screen) put(r rune) {
	switch r {
	case '\r':
		s.column = 0
	case '\n':
		s.down()
	case '\a':
	case '\b':
		s.column = max(0, s.column-1)
	case '\t':
		s.column = min(s.columns-1, s.column/8*8+8)
	default:
		if s.column >= s.columns { // the cursor stays after the last column until the program writes more
			s.rows[s.row].goesOn = true
			s.down()
			s.column = 0
		}
		row := &s.rows[s.row]
		for len(row.text) <= s.column {
			row.text = append(row.text, ' ')
		}
		row.text[s.column] = r
		s.column++
	}
}

func (s *screen) down() {
	s.row++
	if s.row == len(s.rows) {
		s.rows = append(s.rows, row{})
	}
}

// resize wraps each line again. The cursor stays at its position in its line.
func (s *screen) resize(columns int) {
	var rows []row
	at, column := 0, 0
	for i := 0; i < len(s.rows); i++ {
		var line []rune
		cursor := -1
		for ; ; i++ {
			if i == s.row {
				cursor = len(line) + s.column
			}
			line = append(line, s.rows[i].text...)
			if !s.rows[i].goesOn {
				break
			}
		}
		first := len(rows)
		for ; len(line) > columns; line = line[columns:] {
			rows = append(rows, row{
				text:   line[:columns:columns],
				goesOn: true,
			})
		}
		rows = append(rows, row{text: line})
		if cursor >= 0 {
			at = min(first+cursor/columns, len(rows)-1)
			column = cursor - (at-first)*columns
		}
	}
	s.rows, s.row, s.column, s.columns = rows, at, column, columns
}

// escape follows a sequence that begins with ESC, and returns its length.
func (s *screen) escape(text string) (length int, err error) {
	if len(text) < 2 || text[1] != '[' {
		return 0, fmt.Errorf("the terminal of a test does not support %.10q", text)
	}
	end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' && r <= '~' })
	if end < 0 {
		return 0, fmt.Errorf("the terminal of a test does not support %.10q", text)
	}
	switch of, verb := text[2:2+end], text[2+end]; {
	case verb == 'm':
	case verb == 'K' && of == "":
		text := s.rows[s.row].text
		s.rows[s.row] = row{text: text[:min(s.column, len(text))]}
	case verb == 'A' && of == "":
		s.row = max(0, s.row-1)
	default:
		return 0, fmt.Errorf("the terminal of a test does not support %.10q", text)
	}
	return 2 + end + 1, nil
}
