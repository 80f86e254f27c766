package changelog

import (
	"regexp"
	"strings"
	"unicode"
)

// asMarkdown is a line of text for a Markdown file, which shows it as it is, but for code and emphasis: a commit's subject, which
// anybody may have written, opens no HTML, no link, no image and no block.
func asMarkdown(line string) string {
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

// block begins a heading, a quotation, a list, a table, a fence or a rule where a line does.
var block = regexp.MustCompile("^(\\s*[0-9]*)((?:#{1,6}|[-+*.)])(?:\\s|$)|>|```|~~~|(?:[-*_]\\s*){3,}$)")

// disarm takes from text outside of code what would be a tag, an address or a link.
func disarm(text string) string {
	text = mention.ReplaceAllString(text, "$1`$2`")
	return strings.NewReplacer("<", "&lt;", "](", `]\(`, "]:", `]\:`).Replace(text)
}

// mention calls a person or a team where the text is shown on GitHub, and code does not.
var mention = regexp.MustCompile(`(^|[^\w.@/` + "`" + `-])(@[A-Za-z0-9][\w-]*(?:/[\w-]+)?)`)

// findCode returns the places of code between runs of as many backticks, with these.
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

// findClosing returns the end of the next run of n backticks; 0 where there is none.
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

// countTicks counts the backticks that a text begins with.
func countTicks(text string) int { return len(text) - len(strings.TrimLeft(text, "`")) }
