package expression

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// builtin lists the functions that are allowed in every expression.
var builtin = map[string]Arity{
	"case":       {Least: 3, Most: maxArguments},
	"contains":   {Least: 2, Most: 2},
	"startswith": {Least: 2, Most: 2},
	"endswith":   {Least: 2, Most: 2},
	"format":     {Least: 1, Most: maxArguments},
	"join":       {Least: 1, Most: 2},
	"tojson":     {Least: 1, Most: 1},
	"fromjson":   {Least: 1, Most: 1},
}

// functions implements the builtin functions except case, which evaluates only the arguments that it needs.
var functions = map[string]func(a []Value) (Value, error){
	"contains":   func(a []Value) (Value, error) { return contains(a[0], a[1]), nil },
	"startswith": func(a []Value) (Value, error) { return ofTexts(strings.HasPrefix, a), nil },
	"endswith":   func(a []Value) (Value, error) { return ofTexts(strings.HasSuffix, a), nil },
	"format":     format,
	"join":       join,
	"tojson":     toJSON,
	"fromjson":   fromJSON,
}

func contains(where, what Value) bool {
	if list, is := where.(*Array); is {
		for _, v := range list.Items {
			if equal(what, v) {
				return true
			}
		}
		return false
	}
	return ofTexts(strings.Contains, []Value{where, what})
}

// ofTexts compares two values as texts, ignoring case. Arrays and objects cannot be converted.
func ofTexts(ask func(a, b string) bool, a []Value) bool {
	return primitive(a[0]) && primitive(a[1]) && ask(upper(Text(a[0])), upper(Text(a[1])))
}

func join(a []Value) (Value, error) {
	list, is := a[0].(*Array)
	switch {
	case !is && primitive(a[0]):
		return Text(a[0]), nil
	case !is:
		return "", nil
	}
	separator := ","
	if len(a) > 1 && primitive(a[1]) {
		separator = Text(a[1])
	}
	texts := make([]string, len(list.Items))
	size := len(separator) * len(texts)
	for i, v := range list.Items {
		texts[i] = Text(v)
		size += len(texts[i])
	}
	if size > maxMemory {
		return nil, errTooMuch
	}
	return strings.Join(texts, separator), nil
}

// format replaces {0}, {1} and so on with its arguments. Double braces are an escape for one.
func format(a []Value) (Value, error) {
	text := Text(a[0])
	var b strings.Builder
	for at := 0; at < len(text); {
		n := strings.IndexAny(text[at:], "{}")
		if n < 0 {
			b.WriteString(text[at:])
			break
		}
		b.WriteString(text[at : at+n])
		at += n
		if strings.HasPrefix(text[at+1:], text[at:at+1]) {
			b.WriteByte(text[at])
			at += 2
			continue
		}
		place, after, closed := strings.Cut(text[at+1:], "}")
		i, err := strconv.ParseUint(place, 10, 31)
		switch {
		case text[at] == '}' || !closed || err != nil:
			return nil, fmt.Errorf("the format %q is invalid at character %d", text, at+1)
		case int(i) >= len(a)-1:
			return nil, fmt.Errorf("the format %q refers to an argument that was not passed", text)
		}
		b.WriteString(Text(a[1+i]))
		if b.Len() > maxMemory {
			return nil, errTooMuch
		}
		at = len(text) - len(after)
	}
	return b.String(), nil
}

func toJSON(a []Value) (Value, error) { return ToJSON(a[0]) }

// ToJSON implements the function toJSON.
func ToJSON(v Value) (string, error) {
	var b strings.Builder
	if err := writeJSON(&b, v, "\n"); err != nil {
		return "", err
	}
	return b.String(), nil
}

// writeJSON writes a value with two spaces for each level; newline is a line's end with the spaces of the current level.
func writeJSON(b *strings.Builder, v Value, newline string) error {
	if b.Len() > maxMemory {
		return errTooMuch
	}
	block := func(open, end string, n int, item func(i int) error) error {
		b.WriteString(open)
		for i := range n {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(newline + "  ")
			if err := item(i); err != nil {
				return err
			}
		}
		if n > 0 {
			b.WriteString(newline)
		}
		b.WriteString(end)
		return nil
	}
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		b.WriteString(quote(v))
	case *Array:
		return block("[", "]", len(v.Items), func(i int) error { return writeJSON(b, v.Items[i], newline+"  ") })
	case *Object:
		return block("{", "}", len(v.keys), func(i int) error {
			b.WriteString(quote(v.keys[i]) + ": ")
			item, _ := v.Get(v.keys[i])
			return writeJSON(b, item, newline+"  ")
		})
	default:
		b.WriteString(Text(v))
	}
	return nil
}

// quote formats a text as JSON, without escaping for HTML.
func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a text can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func fromJSON(a []Value) (Value, error) { return FromJSON(Text(a[0])) }

// FromJSON implements the function fromJSON.
func FromJSON(text string) (Value, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readJSON(d)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("unexpected text after the value")
		}
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("unexpected end of the text")
	}
	if err != nil {
		return nil, fmt.Errorf("the argument of fromJSON is not JSON: %w", err)
	}
	return v, nil
}

// readJSON parses one value, and preserves the order of object keys.
func readJSON(d *json.Decoder) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(t.String(), 64)
		if err != nil && !math.IsInf(f, 0) {
			return nil, err
		}
		return f, nil
	case json.Delim:
		if t == '[' {
			return readArray(d)
		}
		return readObject(d)
	}
	return t, nil // nil, a bool or a string
}

func readArray(d *json.Decoder) (Value, error) {
	a := &Array{}
	for d.More() {
		v, err := readJSON(d)
		if err != nil {
			return nil, err
		}
		a.Items = append(a.Items, v)
	}
	_, err := d.Token() // the bracket
	return a, err
}

func readObject(d *json.Decoder) (Value, error) {
	o := &Object{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readJSON(d)
		if err != nil {
			return nil, err
		}
		o.Add(key.(string), v) // the decoder accepts only strings as keys
	}
	_, err := d.Token() // the brace
	return o, err
}
