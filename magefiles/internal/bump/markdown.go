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
	return strings.NewReplacer("<", "&lt;", "](", `]\(`, "]:", `]\:`).Replace(text)
}

// codeSpans are the places of code between runs of as many backticks, with these.
func codeSpans(line string) (spans [][2]int) {
	for at := 0; at < len(line); {
		open := strings.IndexByte(line[at:], '`')
		if open < 0 {
			break
		}
		begin := at + open
		n := run(line[begin:])
		end := begin + n
		for end < len(line) {
			next := strings.IndexByte(line[end:], '`')
			if next < 0 {
				end = len(line)
				break
			}
			end += next
			if m := run(line[end:]); m == n {
				spans = append(spans, [2]int{begin, end + m})
				end += m
				break
			} else if end += m; end == len(line) {
				break
			}
		}
		if len(spans) > 0 && spans[len(spans)-1][0] == begin {
			at = spans[len(spans)-1][1]
		} else {
			at = begin + n // nothing closes it
		}
	}
	return spans
}

// run counts the backticks that a text begins with.
func run(text string) int { return len(text) - len(strings.TrimLeft(text, "`")) }
