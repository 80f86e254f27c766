package expression

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// Value is the value of an expression: nil, a bool, a float64, a string, an *[Array] or an *[Object]. Other types must not be used.
type Value any

// Array is a list. Arrays are equal only if they are identical.
type Array struct {
	Items []Value

	filtered bool // made by `*`: what follows applies to each of its items
}

// Object is a list of pairs. Keys are case-insensitive, and of two keys that differ only in case the first wins, unless [Object.Exact] is set.
type Object struct {
	Exact bool // keys are case-sensitive, as for a step's variables on Unix

	keys   []string
	values map[string]Value
}

// NewObject creates an object from alternating keys and values.
func NewObject(pairs ...any) *Object {
	o := &Object{}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Add(pairs[i].(string), pairs[i+1])
	}
	return o
}

// Add appends a pair, unless the key exists.
func (o *Object) Add(key string, v Value) {
	if o.values == nil {
		o.values = map[string]Value{}
	}
	at := o.at(key)
	if _, there := o.values[at]; there {
		return
	}
	o.keys = append(o.keys, key)
	o.values[at] = v
}

// Set replaces the value of a key, or appends the pair.
func (o *Object) Set(key string, v Value) {
	o.Add(key, v)
	o.values[o.at(key)] = v
}

// SetAll sets all pairs of another object.
func (o *Object) SetAll(from *Object) {
	for _, k := range from.keys {
		v, _ := from.Get(k)
		o.Set(k, v)
	}
}

// Get returns the value of a key, and reports whether the object has the key.
func (o *Object) Get(key string) (Value, bool) {
	v, there := o.values[o.at(key)]
	return v, there
}

// Keys returns the keys as they were written, in order.
func (o *Object) Keys() []string { return slices.Clone(o.keys) }

func (o *Object) at(key string) string {
	if o.Exact {
		return key
	}
	return upper(key)
}

// upper converts a text to upper case for comparisons, letter by letter. A dotless i is not changed.
func upper(s string) string {
	return strings.Map(func(r rune) rune {
		if r == 'ı' {
			return r
		}
		return unicode.ToUpper(r)
	}, s)
}

// Truthy reports whether a value counts as true: null, false, 0, NaN and "" do not.
func Truthy(v Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	}
	return true
}

// Text converts a value to a text: "" for null, up to fifteen digits of a number, and the name of the type for an array or object.
func Text(v Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return numberText(v)
	case string:
		return v
	case *Array:
		return "Array"
	}
	return "Object"
}

// numberText formats a number as .NET's G15 does.
func numberText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', 14, 64), "e")
	if n, _ := strconv.Atoi(exponent); n > -5 && n < 15 {
		text := strconv.FormatFloat(f, 'f', 14-n, 64)
		if strings.Contains(text, ".") {
			text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
		}
		return text
	}
	mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	return mantissa + "E" + exponent
}

// number converts a value to a number, or NaN.
func number(v Value) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		return parseNumber(v)
	}
	return math.NaN()
}

// parseNumber parses a decimal number, a hexadecimal number with 0x, an octal number with 0o, or Infinity, with optional white space. Blank text is
// 0; any other text is NaN.
func parseNumber(s string) float64 {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0
	}
	unsigned := strings.TrimLeft(s[:1], "+-") + s[1:]
	switch {
	case unsigned == "Infinity" && s[0] == '-':
		return math.Inf(-1)
	case unsigned == "Infinity":
		return math.Inf(1)
	case strings.HasPrefix(s, "0x"):
		return digits(s[2:], 16)
	case strings.HasPrefix(s, "0o"):
		return digits(s[2:], 8)
	case strings.Trim(unsigned, "0123456789.eE+-") != "":
		return math.NaN() // strconv also reads hexadecimal fractions, underscores and names
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

func digits(s string, base int) float64 {
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}

// equal compares values as GitHub does: texts ignoring case, values of different types as numbers, arrays and objects by identity.
func equal(a, b Value) bool {
	a, b = coerce(a, b)
	switch a := a.(type) {
	case nil:
		return b == nil
	case float64:
		n, ok := b.(float64)
		return ok && a == n
	case string:
		s, ok := b.(string)
		return ok && upper(a) == upper(s)
	}
	return a == b // booleans, and pointers
}

// order compares two values. ok reports whether they are ordered: they must have one type after coercion, and neither may be NaN.
func order(a, b Value) (sign int, ok bool) {
	a, b = coerce(a, b)
	switch x := a.(type) {
	case float64:
		if y, is := b.(float64); is && !math.IsNaN(x) && !math.IsNaN(y) {
			return compare(x, y), true
		}
	case string:
		if y, is := b.(string); is {
			return slices.Compare(utf16.Encode([]rune(upper(x))), utf16.Encode([]rune(upper(y)))), true
		}
	case bool:
		if y, is := b.(bool); is {
			return compare(number(x), number(y)), true
		}
	}
	return 0, false
}

func compare(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// coerce converts two values of different types to numbers, unless one is an array or object.
func coerce(a, b Value) (Value, Value) {
	if kind(a) == kind(b) || !primitive(a) || !primitive(b) {
		return a, b
	}
	return number(a), number(b)
}

func primitive(v Value) bool { return kind(v) < kindArray }

const (
	kindNull = iota
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
)

func kind(v Value) int {
	switch v.(type) {
	case nil:
		return kindNull
	case bool:
		return kindBool
	case float64:
		return kindNumber
	case string:
		return kindString
	case *Array:
		return kindArray
	}
	return kindObject
}
