package tomledit

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quoting is a style of string quotes, identified by the opening quotes.
type quoting string

const (
	basic        quoting = `"`
	basicLines   quoting = `"""`
	literalQuote quoting = `'`
	literalLines quoting = `'''`
)

// quotes returns the quoting style of a value, or basic if it is not a string.
func quotes(n *Node, raw string) quoting {
	if n.Kind != String {
		return basic
	}
	for _, q := range []quoting{basicLines, literalLines, literalQuote} {
		if strings.HasPrefix(raw, string(q)) && len(raw) >= 2*len(q) {
			return q
		}
	}
	return basic
}

func (q quoting) literal() bool { return q[0] == '\'' }

// quote quotes text in this style, or in basic style if this one cannot represent it.
func (q quoting) quote(text string) string {
	if inner, ok := q.escape(text); ok {
		written := string(q) + inner + string(q)
		if len(q) == 3 && (strings.HasPrefix(text, "\n") || strings.HasPrefix(text, "\r\n")) {
			written = string(q) + "\n" + inner + string(q) // the first newline is not part of the value
		}
		if reads(written, text) {
			return written
		}
	}
	inner, _ := basic.escape(text)
	return string(basic) + inner + string(basic)
}

// escape returns text escaped for this style. ok is false if the style cannot represent it.
func (q quoting) escape(text string) (string, bool) {
	if q.literal() {
		for _, c := range text {
			lines := q == literalLines && c == '\n'
			if c == '\'' || c != '\t' && !lines && (c < 0x20 || c == 0x7f) {
				return "", false
			}
		}
		return text, true
	}
	var b strings.Builder
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteString(`\` + string(c))
		case c == '\n' && q == basic:
			b.WriteString(`\n`)
		case c == '\r':
			b.WriteString(`\r`)
		case c != '\t' && c != '\n' && (c < 0x20 || c == 0x7f):
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String(), true
}

// locate maps the range [begin:end] of a string's value to a range of raw, its source text. ok is false if a boundary is inside an escape.
func (q quoting) locate(raw string, begin, end int) (from, to int, ok bool) {
	i, at := len(q), 0
	if len(q) == 3 {
		i += len(firstNewline(raw[i:]))
	}
	from, to = -1, -1
	for {
		// If bytes that are not part of the value are next to `begin` or `end`, choose the offset closer to the text.
		if at == begin {
			from = i
		}
		if at == end && to < 0 {
			to = i
		}
		if at > end || i >= len(raw)-len(q) {
			break
		}
		written, decoded := q.step(raw[i:])
		if written == 0 {
			return 0, 0, false
		}
		if begin == end && from >= 0 {
			return from, from, true
		}
		i, at = i+written, at+decoded
	}
	return from, to, from >= 0 && to >= from
}

func firstNewline(s string) string {
	for _, nl := range []string{"\n", "\r\n"} {
		if strings.HasPrefix(s, nl) {
			return nl
		}
	}
	return ""
}

// step returns the length of the next character or escape, in the source text and in the value.
func (q quoting) step(raw string) (written, decoded int) {
	if q.literal() || raw[0] != '\\' {
		return 1, 1
	}
	if len(raw) < 2 {
		return 0, 0
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[1]]
	switch {
	case digits > 0:
		if len(raw) < 2+digits {
			return 0, 0
		}
		r, err := strconv.ParseUint(raw[2:2+digits], 16, 32)
		if err != nil {
			return 0, 0
		}
		return 2 + digits, utf8.RuneLen(rune(r))
	case strings.IndexByte(" \t\r\n", raw[1]) >= 0: // a line continuation, with the whitespace that follows
		return len(raw) - len(strings.TrimLeft(raw[1:], " \t\r\n")), 0
	}
	return 2, 1
}
