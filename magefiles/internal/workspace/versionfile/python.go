package versionfile

import (
	"bytes"
	"slices"
	"strings"
)

// word is a Python token.
type word struct {
	kind       kind
	text       string // text of a name or sign
	start, end int    // range of a string, without quotes
}

type kind int

// The kinds of words.
const (
	nameWord  kind = iota // a name or a keyword
	textWord              // a string without escapes that is neither bytes nor an f-string
	signWord              // an operator or a bracket
	otherWord             // a number, another string
)

// compound lists the keywords that start a compound statement.
var compound = []string{"if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "async", "match"}

// simpleStatements yields the unindented simple statements of a Python file.
func simpleStatements(src []byte) func(yield func([]word) bool) {
	return func(yield func([]word) bool) {
		i := 0
		if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
			i = 3
		}
		for i < len(src) {
			if c := src[i]; c == ' ' || c == '\t' || c == '\f' { // skip an indented line, including its brackets and strings
				_, i = readStatement(src, i, false)
				continue
			}
			line, next := readStatement(src, i, true)
			i = next
			if len(line) == 0 || line[0].kind == nameWord && slices.Contains(compound, line[0].text) {
				continue
			}
			for _, one := range split(line, ";") {
				if len(one) > 0 && !yield(one) {
					return
				}
			}
		}
	}
}

// readStatement reads the statement at offset i up to the end of the line, or of a later line if there are open brackets or a
// backslash. It returns the statement's tokens only if `keep` is set.
func readStatement(src []byte, i int, keep bool) (line []word, next int) {
	depth := 0
	add := func(w word) {
		if keep {
			line = append(line, w)
		}
	}
	for i < len(src) {
		switch c := src[i]; {
		case c == '\n':
			i++
			if depth == 0 {
				return line, i
			}
		case c == '#':
			i += lineLength(src[i:])
		case c == '\\':
			i++ // also skip the newline
			if i < len(src) && src[i] == '\r' {
				i++
			}
			i++
		case c == '"' || c == '\'':
			w, n := readText(src, i, "")
			add(w)
			i += n
		case isNameByte(c) && (c < '0' || c > '9'):
			n := 1
			for i+n < len(src) && isNameByte(src[i+n]) {
				n++
			}
			text := string(src[i : i+n])
			if i+n < len(src) && (src[i+n] == '"' || src[i+n] == '\'') && n <= 2 && strings.Trim(strings.ToLower(text), "rbuf") == "" {
				w, length := readText(src, i+n, strings.ToLower(text))
				add(w)
				i += n + length
				continue
			}
			add(word{kind: nameWord, text: text})
			i += n
		case c >= '0' && c <= '9':
			n := 1
			for i+n < len(src) && (isNameByte(src[i+n]) || src[i+n] == '.') {
				n++
			}
			add(word{kind: otherWord})
			i += n
		case c == ' ' || c == '\t' || c == '\r' || c == '\f':
			i++
		default:
			n := 1
			switch {
			case c == '(' || c == '[' || c == '{':
				depth++
			case c == ')' || c == ']' || c == '}':
				depth = max(0, depth-1)
			case i+1 < len(src) && src[i+1] == '=' && bytes.IndexByte([]byte("=!<>+-*/%&|^:@"), c) >= 0:
				n = 2 // `==`, `+=`, `:=` are not assignments
			}
			add(word{kind: signWord, text: string(src[i : i+n])})
			i += n
		}
	}
	return line, min(i, len(src))
}

func isNameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= 0x80
}

// readText reads a quoted string. A string that cannot be edited in place becomes an otherWord.
func readText(src []byte, i int, prefix string) (w word, length int) {
	length = stringLength(src[i:])
	quotes := 1
	if length >= 6 && src[i+1] == src[i] && src[i+2] == src[i] {
		quotes = 3
	}
	if length < 2*quotes || src[i+length-1] != src[i] || length == 1 {
		return word{kind: otherWord}, max(1, length)
	}
	inner := src[i+quotes : i+length-quotes]
	if strings.ContainsAny(prefix, "bf") || bytes.ContainsAny(inner, "\\\r\n") {
		return word{kind: otherWord}, length
	}
	return word{kind: textWord, start: i + quotes, end: i + length - quotes}, length
}

func lineLength(src []byte) int {
	if n := bytes.IndexByte(src, '\n'); n >= 0 {
		return n
	}
	return len(src)
}

// stringLength returns the length of the string literal at the start of src, including quotes.
func stringLength(src []byte) int {
	quote := src[:1]
	if len(src) >= 3 && src[1] == src[0] && src[2] == src[0] {
		quote = src[:3]
	}
	for i := len(quote); i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case bytes.HasPrefix(src[i:], quote):
			return i + len(quote)
		case src[i] == '\n' && len(quote) == 1:
			return i // a syntax error in Python
		}
	}
	return len(src)
}
