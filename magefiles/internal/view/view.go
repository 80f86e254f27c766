// Package view writes all output for users and programs: groups, tables, and steps with their time and evidence.
//
// At a terminal it uses colors and a live line. In a pipe, in CI or with NO_COLOR, it writes plain text. Under GitHub Actions it folds successful
// groups and the output of running steps, and writes errors as annotations.
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

// View writes the output of a process. Its methods are safe for concurrent use.
type View struct {
	Out     io.Writer // results
	Err     io.Writer // progress
	Color   bool
	Actions bool              // whether the process runs under GitHub Actions
	InJob   bool              // whether this is a CI job, where no user would follow a next step
	Several bool              // whether the command line has several targets; if so, no next step is shown, because it may be one of these targets
	Lookup  annotation.Lookup // finds the files that annotations may refer to; may be nil
	Summary io.Writer         // step summary, as Markdown; may be nil
	Verbose bool
	Width   func() int // width of the terminal, in columns; nil is 80
	Breaks  bool       // whether the output is a terminal: prose and steps are wrapped

	child atomic.Pointer[string] // a child's last line, or the text of a wait
	waits waits
	board atomic.Pointer[func() [][]string] // rows above the live line

	mu     sync.Mutex
	live   []*liveLine
	drawn  []int // width of each line that is on the terminal until something else is written
	asking int   // number of open questions
	asked  int   // number of questions asked so far
	folded *fold // the running step under GitHub Actions
}

// held is locked for reading by each write, and for writing by Hold.
var held sync.RWMutex

// Hold blocks the writes of every view in this process until free is called. It is used while a child has the terminal.
func Hold() (free func()) {
	held.Lock()
	if v := onTerminal.Load(); v != nil {
		v.takeAway()
	}
	return held.Unlock
}

// lock is called by every function that writes.
func (v *View) lock() {
	v.mu.Lock()
	held.RLock()
	v.takeAway()
	v.folded.begin(v.Err)
}

func (v *View) unlock() {
	held.RUnlock()
	v.mu.Unlock()
}

// JSON writes a value as indented JSON. It does not mask secrets.
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

// Table writes rows in aligned columns, below the header unless it is nil. If the terminal is too narrow, it breaks each row into several lines.
func (v *View) Table(header []string, rows [][]string) {
	v.lock()
	defer v.unlock()
	all := rows
	if header != nil {
		all = slices.Concat([][]string{header}, rows)
	}
	lines, headed := align(all), min(len(header), 1)
	if v.Breaks && slices.ContainsFunc(lines, func(line string) bool { return utf8.RuneCountInString(line) > v.width() }) {
		lines, headed = nil, len(stack(header, v.width()))
		for _, row := range all {
			lines = append(lines, stack(row, v.width())...)
		}
	}
	for i, line := range lines {
		if i < headed {
			line = string(v.paint(bold, line))
		}
		fmt.Fprintln(v.Out, line)
	}
}

// stack breaks a row into lines of at most width, unless a word is wider. Each line has as many cells as fit. All lines but the first are indented. A
// row whose first cell is empty continues the row above, so all its lines are indented.
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

// plainCell returns a cell as one line of text.
func plainCell(cell string) string {
	return strings.NewReplacer("\n", " ", "\t", " ").Replace(Plain(cell))
}

// align pads cells into columns, and returns a line for each row.
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

// Say writes a line about progress; at a terminal it is broken between words.
func (v *View) Say(format string, args ...any) {
	v.lock()
	defer v.unlock()
	fmt.Fprintln(v.Err, v.hung(v.text(format, args...)))
}

// Log returns a writer for progress output, such as a toolchain's log. Unlike live lines, all its lines remain visible.
func (v *View) Log() io.Writer { return &inner{view: v} }

var said sync.Map

// Once writes a line unless this process has already written the same line. It writes nothing for "".
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

// paint colors a text if colors are enabled.
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
