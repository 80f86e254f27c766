package tomledit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Set returns a splice that replaces the value of a scalar with a string, an int64, a float64 or a bool. The style of a string's quotes is kept
// if it can represent the new text. The document is not modified; apply the splice with Splices.
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

// SetText is like Set, but replaces only part of a string: the bytes of its value from begin to end. The rest is kept as written, including
// escapes.
func (d *Document) SetText(n *Node, begin, end int, text string) (Splice, error) {
	value, ok := n.Str()
	if !ok || begin < 0 || begin > end || end > len(value) || !utf8.ValidString(text) {
		return Splice{}, fmt.Errorf("%s: there is no text from byte %d to byte %d", d.Name, begin, end)
	}
	raw := string(d.Src[n.Start:n.End])
	style := quotes(n, raw)
	from, to, ok := style.locate(raw, begin, end)
	inner, fits := style.escape(text)
	if ok && fits {
		s := Splice{Start: n.Start + from, Old: raw[from:to], New: inner}
		// In a multi-line string, a quote next to another quote could end the string early. In that case, rewrite the whole value.
		if len(style) == 1 || reads(raw[:from]+inner+raw[to:], value[:begin]+text+value[end:]) {
			return s, nil
		}
	}
	return d.Set(n, value[:begin]+text+value[end:])
}

// reads reports whether the TOML value `written` is a single string that equals text.
func reads(written, text string) bool {
	doc, err := Parse("", []byte("v="+written))
	if err != nil || len(doc.Root.Children) != 1 {
		return false
	}
	got, ok := doc.Root.Get("v").Str()
	return ok && got == text
}

// literal formats a value as TOML.
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

// float formats a number so that TOML parses it as a float: with a decimal point, an exponent, inf or nan.
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
