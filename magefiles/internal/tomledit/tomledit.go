// Package tomledit reads TOML without losing where things stand: every value knows its byte range, line and column.
//
// Parse makes a tree of a file. The tree is what the file means, not how it is laid out: dotted keys, headers and inline
// tables give the same nodes, so that
//
//	[package]
//	version = "0.1.0"
//
// and `package = { version = "0.1.0" }` and `package.version = "0.1.0"` are all found by
//
//	doc.Root.Get("package", "version").Text()
//
// A node's Start and End are offsets into the bytes that were given, a byte order mark and CRLF included, so a value can
// be replaced there and every other byte stays as it is. Syntax is the business of pelletier/go-toml's parser (TOML 1.1),
// numbers and dates that of BurntSushi/toml; which keys may be defined where is checked here.
package tomledit

import "strings"

// Kind is the kind of a node.
type Kind int

const (
	Table Kind = iota
	Array
	String
	Integer
	Float
	Bool
	Datetime
)

// String names the kind with its article, as an error message wants it.
func (k Kind) String() string {
	return [...]string{"a table", "an array", "a string", "an integer", "a float", "a boolean", "a date or time"}[k]
}

// Node is a value of a document. All methods may be called on nil and then answer that nothing is there, so that
// lookups can be chained.
type Node struct {
	Kind     Kind
	Key      string // its key in the parent table, unquoted; "" for the root and for elements of an array
	Line     int    // of the key, or of the value where there is no key; from 1
	Column   int    // in bytes, from 1
	KeyStart int    // byte range of the key in the source, quotes included; both 0 where there is no key
	KeyEnd   int
	Start    int // byte range of the value in the source, quotes included; both 0 for a table written by headers
	End      int
	Value    any     // string, int64, float64, bool or time.Time of a scalar
	Children []*Node // members of a table or elements of an array, in the order of the source

	origin origin
	index  map[string]*Node // of a table with many members
}

// Get follows keys through tables and returns nil when one of them is not there.
func (n *Node) Get(keys ...string) *Node {
	for _, k := range keys {
		n = n.member(k)
	}
	return n
}

// member looks a key up. Most tables have a few members, for which a map would cost more than it saves.
func (n *Node) member(key string) *Node {
	if n == nil || n.Kind != Table {
		return nil
	}
	if n.index != nil {
		return n.index[key]
	}
	for _, c := range n.Children {
		if c.Key == key {
			return c
		}
	}
	return nil
}

// Has reports whether the keys lead to a value.
func (n *Node) Has(keys ...string) bool { return n.Get(keys...) != nil }

// Is reports whether the node is there and of kind k.
func (n *Node) Is(k Kind) bool { return n != nil && n.Kind == k }

// Members returns the members of a table in the order of the source, and nothing for any other node.
func (n *Node) Members() []*Node {
	if !n.Is(Table) {
		return nil
	}
	return n.Children
}

// Elements returns the elements of an array, and nothing for any other node.
func (n *Node) Elements() []*Node {
	if !n.Is(Array) {
		return nil
	}
	return n.Children
}

// At returns the element i of an array, or nil.
func (n *Node) At(i int) *Node {
	if e := n.Elements(); i >= 0 && i < len(e) {
		return e[i]
	}
	return nil
}

// Str returns the value of a string.
func (n *Node) Str() (string, bool) { return scalar[string](n) }

// Bool returns the value of a boolean.
func (n *Node) Bool() (bool, bool) { return scalar[bool](n) }

// Int returns the value of an integer.
func (n *Node) Int() (int64, bool) { return scalar[int64](n) }

// Text returns the value of a string, and "" for any other node.
func (n *Node) Text() string { s, _ := n.Str(); return s }

// True reports whether the node is the boolean true.
func (n *Node) True() bool { b, _ := n.Bool(); return b }

// Strings returns the strings among the elements of an array.
func (n *Node) Strings() []string {
	var out []string
	for _, e := range n.Elements() {
		if s, ok := e.Str(); ok {
			out = append(out, s)
		}
	}
	return out
}

// Plain returns the value as map[string]any, []any or the scalar's Go value; nil for nil.
func (n *Node) Plain() any {
	switch {
	case n == nil:
		return nil
	case n.Kind == Table:
		m := make(map[string]any, len(n.Children))
		for _, c := range n.Children {
			m[c.Key] = c.Plain()
		}
		return m
	case n.Kind == Array:
		a := make([]any, len(n.Children))
		for i, c := range n.Children {
			a[i] = c.Plain()
		}
		return a
	}
	return n.Value
}

func scalar[T any](n *Node) (v T, ok bool) {
	if n == nil {
		return v, false
	}
	v, ok = n.Value.(T)
	return v, ok
}

// JoinKey writes keys as a dotted key, quoting where TOML wants it: package.run-dependencies."if(linux)".
func JoinKey(keys ...string) string {
	quoted := make([]string, len(keys))
	for i, k := range keys {
		quoted[i] = quoteKey(k)
	}
	return strings.Join(quoted, ".")
}

func quoteKey(k string) string {
	bare := k != ""
	for _, c := range []byte(k) {
		bare = bare && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_')
	}
	if bare {
		return k
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(k) + `"`
}
