// Package tomledit parses TOML and records positions: each value has a byte range, a line and a column.
//
// Parse returns a tree of the file's contents, independent of its layout. Dotted keys, headers and inline tables produce the same nodes, so that
//
//	[package]
//	version = "0.1.0"
//
// and `package = { version = "0.1.0" }` and `package.version = "0.1.0"` are all found by
//
//	doc.Root.Get("package", "version").Text()
//
// A node's Start and End are offsets into the original bytes, including any byte order mark and CRLF, so a value can be replaced without changing
// other bytes. The syntax (TOML 1.1) is parsed by pelletier/go-toml, and numbers and dates are parsed by BurntSushi/toml. This package checks for
// keys that are defined twice or in the wrong place.
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

// String returns the kind with an article, for error messages.
func (k Kind) String() string {
	return [...]string{"a table", "an array", "a string", "an integer", "a float", "a boolean", "a date or time"}[k]
}

// Node is a value in a document. All methods can be called on nil, which represents a missing value, so that lookups can be chained.
type Node struct {
	Kind     Kind
	Key      string // key in the parent table, unquoted; "" for the root and for elements of an array
	Line     int    // line of the key, or of the value if there is no key; from 1
	Column   int    // in bytes, from 1
	KeyStart int    // byte range of the key in the source, with quotes; both 0 if there is no key
	KeyEnd   int
	Start    int // byte range of the value in the source, with quotes; both 0 for a table written by headers
	End      int
	Value    any     // string, int64, float64, bool or time.Time of a scalar
	Children []*Node // members of a table or elements of an array, in source order

	origin origin
	index  map[string]*Node // index for tables with many members
}

// Get looks up a path of keys. It returns nil if any of them is missing.
func (n *Node) Get(keys ...string) *Node {
	for _, k := range keys {
		n = n.member(k)
	}
	return n
}

// member looks up a key. Most tables are so small that a map would not be worth its cost.
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

// Has reports whether there is a value at the given path.
func (n *Node) Has(keys ...string) bool { return n.Get(keys...) != nil }

// Is reports whether the node exists and is of kind k.
func (n *Node) Is(k Kind) bool { return n != nil && n.Kind == k }

// Members returns the members of a table in source order, and nil for other nodes.
func (n *Node) Members() []*Node {
	if !n.Is(Table) {
		return nil
	}
	return n.Children
}

// Elements returns the elements of an array, and nil for other nodes.
func (n *Node) Elements() []*Node {
	if !n.Is(Array) {
		return nil
	}
	return n.Children
}

// At returns element i of an array, or nil.
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

// Text returns the value of a string, and "" for other nodes.
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

// Plain returns the value as map[string]any, []any or a scalar Go value, or nil for a nil node.
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

// JoinKey formats a dotted key and quotes its parts where TOML requires it: package.run-dependencies."if(linux)".
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
