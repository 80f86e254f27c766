package changelog

import (
	"regexp"
	"strings"
	"unicode"
)

// escapeMarkdown escapes a line for a Markdown file so that it is displayed literally, except for code and emphasis. Anyone may have written a
// commit subject, so it must not create HTML, links, images or block elements.
func escapeMarkdown(line string) string {
	line = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, line)
	var b strings.Builder
	from := 0
	for _, m := range findCode(line) {
		b.WriteString(disarm(line[from:m[0]]))
		b.WriteString(line[m[0]:m[1]])
		from = m[1]
	}
	b.WriteString(disarm(line[from:]))
	return block.ReplaceAllString(b.String(), `$1\$2`)
}

// block matches block syntax at the start of a line: a heading, quotation, list, table, fence or rule.
var block = regexp.MustCompile("^(\\s*[0-9]*)((?:#{1,6}|[-+*.)])(?:\\s|$)|>|```|~~~|(?:[-*_]\\s*){3,}$)")

// disarm escapes characters that would create a tag, an autolink or a link outside code.
func disarm(text string) string {
	text = mention.ReplaceAllString(text, "$1`$2`")
	return strings.NewReplacer("<", "&lt;", "](", `]\(`, "]:", `]\:`).Replace(text)
}

// mention matches a name that would notify a user or a team on GitHub. Inside code, a name notifies nobody.
var mention = regexp.MustCompile(`(^|[^\w.@/` + "`" + `-])(@[A-Za-z0-9][\w-]*(?:/[\w-]+)?)`)

// findCode returns the ranges of code spans, including their backticks. A span ends with the same number of backticks with which it starts.
func findCode(line string) (spans [][2]int) {
	for at := 0; ; {
		open := strings.IndexByte(line[at:], '`')
		if open < 0 {
			return spans
		}
		begin := at + open
		n := countTicks(line[begin:])
		at = begin + n
		if end := findClosing(line, at, n); end > 0 {
			spans = append(spans, [2]int{begin, end})
			at = end
		}
	}
}

// findClosing returns the end of the next run of exactly n backticks, or 0.
func findClosing(line string, from, n int) (end int) {
	for {
		next := strings.IndexByte(line[from:], '`')
		if next < 0 {
			return 0
		}
		from += next
		m := countTicks(line[from:])
		from += m
		if m == n {
			return from
		}
	}
}

// countTicks returns the number of leading backticks.
func countTicks(text string) int { return len(text) - len(strings.TrimLeft(text, "`")) }
