package tomledit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Set returns the splice that gives a scalar another value: a string, an int64, a float64 or a bool. A string keeps the
// quotes that it has, as far as they can hold the new text. Nothing is changed here: see Splices.
func (d *Document) Set(n *Node, value any) (Splice, error) {
	if n == nil || n.End == 0 || n.Kind == Table || n.Kind == Array {
		return Splice{}, fmt.Errorf("%s: only a string, a number, a boolean or a date can be set", d.Name)
	}
	old := string(d.Src[n.Start:n.End])
	text, err := literal(value, quotes(n, old))
	if err != nil {
		return Splice{}, d.Errorf(n.Start, "%s", err)
	}
	return Splice{Start: n.Start, Old: old, New: text}, nil
}

// SetText is Set for a part of a string: of its value the bytes from begin to end become text. What stands before and
// behind it stays as it is written, escapes included.
func (d *Document) SetText(n *Node, begin, end int, text string) (Splice, error) {
	value, ok := n.Str()
	if !ok || begin < 0 || begin > end || end > len(value) || !utf8.ValidString(text) {
		return Splice{}, fmt.Errorf("%s: there is no text from %d to %d to be set", d.Name, begin, end)
	}
	raw := string(d.Src[n.Start:n.End])
	style := quotes(n, raw)
	from, to, ok := style.locate(raw, begin, end)
	inner, fits := style.escape(text)
	if ok && fits {
		s := Splice{Start: n.Start + from, Old: raw[from:to], New: inner}
		// Beside another one a quote can end a string of several lines too early: then all of it is written anew.
		if len(style) == 1 || reads(raw[:from]+inner+raw[to:], value[:begin]+text+value[end:]) {
			return s, nil
		}
	}
	return d.Set(n, value[:begin]+text+value[end:])
}

// reads reports whether a value as it is written is one string of that text.
func reads(written, text string) bool {
	doc, err := Parse("", []byte("v="+written))
	if err != nil || len(doc.Root.Children) != 1 {
		return false
	}
	got, ok := doc.Root.Get("v").Str()
	return ok && got == text
}

// literal writes a value as TOML.
func literal(value any, style quoting) (string, error) {
	switch v := value.(type) {
	case string:
		if !utf8.ValidString(v) {
			return "", fmt.Errorf("%q is not UTF-8 text, and cannot be written", v)
		}
		return style.quote(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return float(v), nil
	}
	return "", fmt.Errorf("a %T cannot be written", value)
}

// float writes a number that TOML reads as a float: with a point, an exponent, inf or nan.
func float(v float64) string {
	switch {
	case math.IsNaN(v):
		return "nan"
	case math.IsInf(v, 0):
		return strings.ToLower(strings.TrimSuffix(fmt.Sprintf("%+f", v), "inity"))
	}
	text := strconv.FormatFloat(v, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}
