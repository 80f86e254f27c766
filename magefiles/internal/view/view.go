// Package view is what people and machines see: grouped output, tables, steps with their time and evidence.
//
// A person at a terminal gets colors and a live line; a pipe, CI or NO_COLOR gets plain text. Under GitHub Actions,
// groups fold, failed ones stay open, and an error becomes an annotation.
package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/actions/annotation"
	"github.com/foopack/foopack/magefiles/internal/columns"
)

// View writes for one process. Its methods may be called from several goroutines.
type View struct {
	Out     io.Writer // results
	Err     io.Writer // what is going on
	Color   bool
	Actions bool              // we run under GitHub Actions
	Lookup  annotation.Lookup // of files that annotations may name; nil finds none
	Summary io.Writer         // Markdown beside the log of the run; nil is nowhere
	Verbose bool
	Width   func() int // of the terminal, in columns; nil is 80
	Breaks  bool       // a person reads at a terminal: prose and steps are broken between words

	child atomic.Pointer[string] // the last line that a child has said, or what is waited for
	waits waits
	board atomic.Pointer[func() [][]string] // what stands above the live line

	mu     sync.Mutex
	live   []*liveLine
	drawn  []int // how wide each line is that is on the terminal until something else is written
	asking int   // questions that are not answered
	asked  int   // questions that were put
}

// held is locked for reading by who writes, and for writing by Hold.
var held sync.RWMutex

// Hold keeps every view of this process from writing until free is called: a child has the terminal.
func Hold() (free func()) {
	held.Lock()
	if v := onTerminal.Load(); v != nil {
		v.takeAway()
	}
	return held.Unlock
}

func (v *View) lock() {
	v.mu.Lock()
	held.RLock()
	v.takeAway()
}

func (v *View) unlock() {
	held.RUnlock()
	v.mu.Unlock()
}

// JSON writes one value, indented, for a program: nothing in it is masked.
func (v *View) JSON(value any) error {
	out := v.Out
	if masked, ok := out.(interface{ Unmasked() io.Writer }); ok {
		out = masked.Unmasked()
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(value)
}

// Table writes rows in aligned columns, under a header unless that is nil. At a terminal that is too narrow for it each row is written over several lines.
func (v *View) Table(header []string, rows [][]string) {
	v.lock()
	defer v.unlock()
	all := rows
	if header != nil {
		all = slices.Concat([][]string{header}, rows)
	}
	lines := align(all)
	if v.Breaks && slices.ContainsFunc(lines, func(line string) bool { return utf8.RuneCountInString(line) > v.width() }) {
		for _, row := range rows {
			for _, line := range stack(row, v.width()) {
				fmt.Fprintln(v.Out, line)
			}
		}
		return
	}
	for i, line := range lines {
		if i == 0 && header != nil {
			line = string(v.paint(bold, line))
		}
		fmt.Fprintln(v.Out, line)
	}
}

// stack is a row in lines of at most width, as long as no word is wider: as many cells as fit into each. All but the first are indented, and so is a row
// whose first cell is empty, since it goes on with the one above.
func stack(row []string, width int) (lines []string) {
	const indent = "  "
	line := ""
	for i, cell := range row {
		cell = strings.TrimSpace(plainCell(cell))
		switch {
		case cell == "" && i > 0:
		case line == "" && cell != "" && i == 0:
			line = cell
		case line == "":
			line = indent + cell
		case utf8.RuneCountInString(line)+2+utf8.RuneCountInString(cell) > width:
			lines = append(lines, line)
			line = indent + cell
		default:
			line = strings.TrimRight(line, " ") + "  " + cell
		}
	}
	if strings.TrimSpace(line) != "" {
		lines = append(lines, line)
	}
	for i := range lines {
		lines[i] = columns.Wrap(strings.TrimRight(lines[i], " "), width, len(indent)+2)
	}
	return lines
}

// plainCell is a cell as one line of text.
func plainCell(cell string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Plain(cell))
}

// align puts cells under one another, a line for each row.
func align(rows [][]string) (lines []string) {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		var cells []string
		for _, cell := range row {
			cells = append(cells, plainCell(cell))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	for line := range strings.SplitSeq(strings.TrimRight(b.String(), "\n"), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return lines
}

// Say writes a line of what is going on; at a terminal it is broken between words.
func (v *View) Say(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Err, v.hung(v.text(format, args...)))
}

// Log is for who writes lines of what is going on, such as a toolchain: each takes the place of the live line, and all of them are shown.
func (v *View) Log() io.Writer { return &inner{view: v, out: v.Err} }

var said sync.Map

// Once writes a line that is the same for several targets of one process only the first time, and nothing for "".
func (v *View) Once(line string) {
	if _, again := said.LoadOrStore(line, true); !again && line != "" {
		v.Say("%s", line)
	}
}

const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// paint is text with a color, where there are colors.
func (v *View) paint(code, text string) painted {
	text = escape(text)
	if v.Color {
		text = "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	return painted(text)
}

func (v *View) mark(err error) painted {
	if err != nil {
		return v.paint(red, "✗")
	}
	return v.paint(green, "✓")
}
