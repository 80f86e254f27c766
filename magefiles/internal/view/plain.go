package view

import (
	"crypto/rand"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// Plain is text from outside as text: a control character, or one that changes the direction in which text is read, is written
// out, so that a terminal shows it and does not obey it. A line that a runner would take for a command is not one any more.
// Newlines and tabs stay.
func Plain(text string) string { return noCommand(escape(text)) }

// escape spells out what a terminal would obey.
func escape(text string) string {
	if strings.IndexFunc(text, isObeyed) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !isObeyed(r):
			b.WriteRune(r)
		case r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// noCommand breaks what a runner would take for a command.
func noCommand(text string) string {
	if !strings.Contains(text, "::") && !strings.Contains(text, "##[") {
		return text
	}
	return strings.ReplaceAll(runnerCommand.ReplaceAllString(text, "$1: :"), "##[", "## [")
}

// runnerCommand begins a line that a runner of GitHub obeys (actions/runner, ActionCommand.cs): "::name::"; the older form is "##[name]",
// anywhere in a line.
var runnerCommand = regexp.MustCompile(`(?m)^(\s*)::`)

// isObeyed reports whether a terminal, or whoever shows text, does something else with a character than show it.
func isObeyed(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r):
		return true
	}
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x061c || r == 0x200e || r == 0x200f || r == 0x2028 || r == 0x2029
}

// painted is text of ours with its colors.
type painted string

// foreign is an argument of a format, whoever it comes from: it is formatted as it would be, and what a terminal would obey is
// written out.
type foreign struct{ value any }

// Format implements fmt.Formatter.
func (a foreign) Format(f fmt.State, verb rune) {
	_, _ = io.WriteString(f, escape(fmt.Sprintf(fmt.FormatString(f, verb), a.value)))
}

// text is a format of ours with its arguments as text.
func (v *View) text(format string, args ...any) string {
	shown := make([]any, len(args))
	for i, a := range args {
		if _, ours := a.(painted); ours {
			shown[i] = a
		} else {
			shown[i] = foreign{value: a}
		}
	}
	return noCommand(fmt.Sprintf(format, shown...))
}

// color is a sequence that changes how text looks, and nothing else. Test runners and compilers use it.
var color = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// childText is what a child wrote, as text with its colors; without them where v has none.
func (v *View) childText(text string) string {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var b strings.Builder
	from := 0
	for _, m := range color.FindAllStringIndex(text, -1) {
		b.WriteString(overwrite(text[from:m[0]]))
		if v.Color {
			b.WriteString(text[m[0]:m[1]])
		}
		from = m[1]
	}
	b.WriteString(overwrite(text[from:]))
	if v.Color && from > 0 {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

// overwrite leaves of a child's text what a terminal would: of a line that returns to its beginning, the last.
func overwrite(text string) string {
	if !strings.Contains(text, "\r") {
		return strings.ToValidUTF8(plainChild(text), "�")
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = line[strings.LastIndexByte(line, '\r')+1:]
	}
	return strings.ToValidUTF8(plainChild(strings.Join(lines, "\n")), "�")
}

// plainChild is Plain without a look at commands of a runner: those of children are stopped as a whole.
func plainChild(text string) string {
	if strings.IndexFunc(text, isObeyed) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isObeyed(r) {
			return -1
		}
		return r
	}, text)
}

// writeChild writes what a child wrote. A runner does not look for commands in it.
func (v *View) writeChild(w io.Writer, text string) {
	text = strings.TrimRight(v.childText(text), "\n") + "\n"
	if v.Actions {
		end := rand.Text()
		text = "::stop-commands::" + end + "\n" + text + "::" + end + "::\n"
	}
	_, _ = io.WriteString(w, text)
}

// Child is a writer to w of what a child says, as text with its colors, or without: a terminal obeys nothing else of it. Each write is
// shown by itself, and a question that does not end its line is.
func Child(w io.Writer, color bool) io.Writer { return child{to: w, view: &View{Color: color}} }

type child struct {
	to   io.Writer
	view *View
}

// Write implements io.Writer.
func (c child) Write(p []byte) (int, error) {
	_, err := io.WriteString(c.to, c.view.childText(string(p)))
	return len(p), err
}
