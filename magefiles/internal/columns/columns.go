// Package columns fits text to the width of a terminal.
package columns

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// Wrap breaks each line of a text at its spaces, so that none is wider than width, in characters. What a line is continued by begins
// with indent spaces. A word that is wider stays whole, as does all text where width is not greater than indent: a terminal breaks it itself,
// and it can still be copied. Spaces between words that stay on one line are kept as they are.
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

// color is compiled when text is first too wide: most programs never have such a text.
var color = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[0-9;]*m") })

// wideness is how many columns a text takes, of which colors take none.
func wideness(text string) int { return utf8.RuneCountInString(color().ReplaceAllString(text, "")) }

func wrapLine(line string, width, indent int) string {
	if wideness(line) <= width {
		return line
	}
	var out strings.Builder
	used, begun := 0, false // in columns of this line; whether it has a word
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

// Chop breaks a line of a file, of which nothing may be lost, into rows of at most width characters: behind the last space of a row, where that is behind
// its first third, and in the middle of a word else. Joined, they are the line.
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
