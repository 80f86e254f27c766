// Package columns fits text to the width of a terminal.
package columns

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Wrap breaks each line of a text at spaces, so that no line has more than width characters. Continuation lines are indented by indent spaces. A
// longer word is not broken, and neither is any text if width is not greater than indent: terminals wrap long lines themselves, and the text can
// still be copied. Spaces between words on the same line are kept.
func Wrap(text string, width, indent int) string {
	if width <= indent {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = wrapLine(line, width, indent)
	}
	return strings.Join(lines, "\n")
}

// color is compiled on first use, because most programs never print a text that is too wide.
var color = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[0-9;]*m") })

// wideness returns the width of a text in columns. Color sequences have no width.
func wideness(text string) int { return utf8.RuneCountInString(color().ReplaceAllString(text, "")) }

func wrapLine(line string, width, indent int) string {
	if wideness(line) <= width {
		return line
	}
	var out strings.Builder
	used, begun := 0, false // columns used in this line; whether the line has a word
	for line != "" {
		gap := len(line) - len(strings.TrimLeft(line, " "))
		end := strings.IndexByte(line[gap:], ' ')
		if end < 0 {
			end = len(line) - gap
		}
		word := line[gap : gap+end]
		line = line[gap+end:]
		wide := wideness(word)
		if begun && wide > 0 && used+gap+wide > width {
			out.WriteString("\n" + strings.Repeat(" ", indent))
			used, gap = indent, 0
		}
		out.WriteString(strings.Repeat(" ", gap) + word)
		used += gap + wide
		begun = begun || wide > 0
	}
	return strings.TrimRight(out.String(), " ")
}

// Chop splits a line of a file into rows of at most width characters. It breaks a row after its last space, or inside a word if this space is in
// the first third of the row. Joining the rows gives the original line.
func Chop(line string, width int) (rows []string) {
	rest := []rune(line)
	for width > 0 && len(rest) > width {
		end := width
		for at := width; at > width/3; at-- {
			if rest[at-1] == ' ' {
				end = at
				break
			}
		}
		rows, rest = append(rows, string(rest[:end])), rest[end:]
	}
	return append(rows, string(rest))
}
