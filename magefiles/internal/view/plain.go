package view

import (
	"crypto/rand"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
)

// Plain returns untrusted text in a form that is safe to show. It escapes control characters and bidi characters, so that a terminal shows them
// instead of interpreting them, and breaks lines that a runner would interpret as commands. It keeps newlines and tabs.
func Plain(text string) string { return noCommand(escape(text)) }

// escape escapes the characters that a terminal would interpret.
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

// noCommand breaks lines that a runner would interpret as commands.
func noCommand(text string) string {
	if !strings.Contains(text, "::") && !strings.Contains(text, "##[") {
		return text
	}
	return strings.ReplaceAll(runnerCommand.ReplaceAllString(text, "$1: :"), "##[", "## [")
}

// runnerCommand matches the start of a command for GitHub's runner (actions/runner, ActionCommand.cs): "::name::". The older form, "##[name]", may be
// anywhere in a line.
var runnerCommand = regexp.MustCompile(`(?m)^(\s*)::`)

// isObeyed reports whether a terminal, or another program that shows text, interprets a character instead of showing it.
func isObeyed(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r):
		return true
	}
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x061c || r == 0x200e || r == 0x200f || r == 0x2028 || r == 0x2029
}

// painted is our own text with its colors.
type painted string

// foreign wraps a format argument. The argument is formatted as usual, and then escaped.
type foreign struct{ value any }

// Format implements fmt.Formatter.
func (a foreign) Format(f fmt.State, verb rune) {
	_, _ = io.WriteString(f, escape(fmt.Sprintf(fmt.FormatString(f, verb), a.value)))
}

// text formats our own text, and escapes the arguments.
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

// color matches an escape sequence that only changes how text looks, as test runners and compilers write.
var color = regexp.MustCompile(`\x1b\[[0-9;:]*m`)

// childText escapes a child's output, except for its colors. It removes these if v has no colors.
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

// overwrite applies carriage returns as a terminal does: it keeps only the last part of an overwritten line.
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

// plainChild is like Plain, but does not look for runner commands, because these are disabled for a child's whole output.
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

// writeChild writes a child's output, with runner commands disabled.
func (v *View) writeChild(w io.Writer, text string) {
	text = strings.TrimRight(v.childText(text), "\n") + "\n"
	if v.Actions {
		end := rand.Text()
		text = "::stop-commands::" + end + "\n" + text + "::" + end + "::\n"
	}
	_, _ = io.WriteString(w, text)
}

// Child returns a writer that escapes a child's output, except perhaps for colors, and writes it to w. It does not buffer, so that a question without
// a newline is shown.
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
