package expression

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// token is a piece of an expression. Its kind is the operator or bracket itself, or one of the words of the constants.
type token struct {
	kind  string
	text  string // text of the token, as written in the expression
	value Value  // value of a literal
	at    int    // byte offset
}

const (
	tokenLiteral = "literal"
	tokenName    = "name"
	tokenEnd     = "end"
)

// symbols lists the operators and brackets, longest first.
var symbols = []string{"&&", "||", "==", "!=", "<=", ">=", "(", ")", "[", "]", ",", ".", "!", "<", ">", "*"}

// lex splits an expression into tokens, the last of which is the end.
func lex(text string) ([]token, error) {
	if units(text) > maxLength {
		return nil, &Error{At: 0, What: "the expression is longer than 21,000 characters"}
	}
	var tokens []token
	for at := 0; ; {
		at += len(text[at:]) - len(strings.TrimLeftFunc(text[at:], unicode.IsSpace))
		if at == len(text) {
			return append(tokens, token{
				kind: tokenEnd,
				at:   at,
			}), nil
		}
		t, err := next(text, at, tokens)
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		at += len(t.text)
	}
}

// units returns the length of a text in UTF-16 code units, which GitHub counts.
func units(text string) (n int) {
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

func next(text string, at int, before []token) (token, error) {
	c := text[at]
	switch {
	case c == '\'':
		return scanQuoted(text, at)
	case c >= '0' && c <= '9', c == '-', c == '+', c == '.' && !afterValue(before):
		t := token{
			kind: tokenLiteral,
			text: word(text, at, true),
			at:   at,
		}
		n := parseNumber(t.text)
		if math.IsNaN(n) {
			return token{}, tokenError(t)
		}
		t.value = n
		return t, nil
	}
	for _, s := range symbols {
		if strings.HasPrefix(text[at:], s) {
			return token{
				kind: s,
				text: s,
				at:   at,
			}, nil
		}
	}
	t := token{
		kind: tokenName,
		text: word(text, at, false),
		at:   at,
	}
	if !isName(t.text) {
		return token{}, tokenError(t)
	}
	if len(before) == 0 || before[len(before)-1].kind != "." {
		if v, is := map[string]Value{"null": nil, "true": true, "false": false, "NaN": math.NaN(), "Infinity": math.Inf(1)}[t.text]; is {
			t.kind, t.value = tokenLiteral, v
		}
	}
	return t, nil
}

// afterValue reports whether a dot is a property access, not the start of a number.
func afterValue(before []token) bool {
	if len(before) == 0 {
		return false
	}
	switch before[len(before)-1].kind {
	case tokenName, "]", ")", "*":
		return true
	}
	return false
}

// word returns the text up to white space or an operator, and at least one character.
func word(text string, at int, dots bool) string {
	_, first := utf8.DecodeRuneInString(text[at:])
	end := strings.IndexFunc(text[at+first:], func(r rune) bool {
		return strings.ContainsRune("()[],!<>=&|", r) || r == '.' && !dots || unicode.IsSpace(r)
	})
	if end < 0 {
		return text[at:]
	}
	return text[at : at+first+end]
}

func isName(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_'
		if !letter && (i == 0 || (r < '0' || r > '9') && r != '-') {
			return false
		}
	}
	return s != ""
}

// scanQuoted parses a single-quoted text. Two single quotes are an escape for one.
func scanQuoted(text string, at int) (token, error) {
	for i := at + 1; i < len(text); i++ {
		if text[i] != '\'' {
			continue
		}
		if strings.HasPrefix(text[i+1:], "'") {
			i++
			continue
		}
		return token{
			kind:  tokenLiteral,
			text:  text[at : i+1],
			value: strings.ReplaceAll(text[at+1:i], "''", "'"),
			at:    at,
		}, nil
	}
	return token{}, &Error{At: at, What: "this text has no closing single quote"}
}
