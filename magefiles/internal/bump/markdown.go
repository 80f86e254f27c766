package bump

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
	for _, m := range codeSpans(line) {
		b.WriteString(inert(line[from:m[0]]))
		b.WriteString(line[m[0]:m[1]])
		from = m[1]
	}
	b.WriteString(inert(line[from:]))
	return block.ReplaceAllString(b.String(), `$1\$2`)
}

// block begins a heading, a quotation, a list, a table, a fence or a rule where a line does.
var block = regexp.MustCompile("^(\\s*[0-9]*)((?:#{1,6}|[-+*.)])(?:\\s|$)|>|```|~~~|(?:[-*_]\\s*){3,}$)")

// inert takes from text outside of code what would be a tag, an address or a link.
func inert(text string) string {
	text = mention.ReplaceAllString(text, "$1`$2`")
	return strings.NewReplacer("<", "&lt;", "](", `]\(`, "]:", `]\:`).Replace(text)
}

// mention calls a person or a team where the text is shown on GitHub, and code does not.
var mention = regexp.MustCompile(`(^|[^\w.@/` + "`" + `-])(@[A-Za-z0-9][\w-]*(?:/[\w-]+)?)`)

// codeSpans are the places of code between runs of as many backticks, with these.
func codeSpans(line string) (spans [][2]int) {
	for at := 0; ; {
		open := strings.IndexByte(line[at:], '`')
		if open < 0 {
			return spans
		}
		begin := at + open
		n := run(line[begin:])
		at = begin + n
		if end := closing(line, at, n); end > 0 {
			spans = append(spans, [2]int{begin, end})
			at = end
		}
	}
}

// closing is the end of the next run of n backticks; 0 where there is none.
func closing(line string, from, n int) (end int) {
	for {
		next := strings.IndexByte(line[from:], '`')
		if next < 0 {
			return 0
		}
		from += next
		m := run(line[from:])
		from += m
		if m == n {
			return from
		}
	}
}

// run counts the backticks that a text begins with.
func run(text string) int { return len(text) - len(strings.TrimLeft(text, "`")) }
