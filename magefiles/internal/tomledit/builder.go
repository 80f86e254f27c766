package tomledit

import (
	"github.com/pelletier/go-toml/v2/unstable"
)

// origin is the syntax with which a table or an array was defined. It determines which keys may be added later.
type origin uint8

const (
	byValue     origin = iota // an inline table, array or scalar; closed
	byHeader                  // [a]; may get members while it is the current table, and sub-tables at any time
	byParent                  // a in [a.b]; may still get its own header
	byDottedKey               // a in `a.b = 1`; may get more dotted keys from the same table, and sub-tables
	byArray                   // a in [[a]]; may get more elements
)

// indexFrom is the number of members at which a table gets an index.
const indexFrom = 16

// builder converts the parser's expressions (headers and key-value pairs) to a tree.
type builder struct {
	doc    *Document
	parser *unstable.Parser
	shift  int   // offset of the parser's input within doc.Src
	table  *Node // table of the last header
}

func (b *builder) expression(e *unstable.Node) error {
	switch e.Kind {
	case unstable.Table:
		return b.header(e)
	case unstable.ArrayTable:
		return b.arrayHeader(e)
	case unstable.KeyValue:
		return b.keyValue(b.table, e)
	}
	return nil
}

// header handles [a.b.c].
func (b *builder) header(e *unstable.Node) error {
	parent, last, err := b.headerParent(e)
	if err != nil {
		return err
	}
	n := parent.member(string(last.Data))
	switch {
	case n == nil:
		n = b.add(parent, last, &Node{Kind: Table, origin: byHeader})
	case n.Kind == Table && n.origin == byParent:
		n.origin = byHeader
		b.place(n, last) // the position of a table is that of its own header
	default:
		return b.duplicate(n, last)
	}
	b.table = n
	return nil
}

// arrayHeader handles [[a.b.c]].
func (b *builder) arrayHeader(e *unstable.Node) error {
	parent, last, err := b.headerParent(e)
	if err != nil {
		return err
	}
	n := parent.member(string(last.Data))
	switch {
	case n == nil:
		n = b.add(parent, last, &Node{Kind: Array, origin: byArray})
	case n.origin != byArray:
		return b.duplicate(n, last)
	}
	b.table = &Node{Kind: Table, origin: byHeader}
	b.table.Line, b.table.Column = b.doc.Position(b.start(last))
	n.Children = append(n.Children, b.table)
	return nil
}

// headerParent returns the table that contains the last part of a header's key. It creates missing tables.
func (b *builder) headerParent(e *unstable.Node) (parent *Node, last *unstable.Node, err error) {
	parent = b.doc.Root
	it := e.Key()
	for it.Next() {
		part := it.Node()
		if it.IsLast() {
			return parent, part, nil
		}
		n := parent.member(string(part.Data))
		switch {
		case n == nil:
			n = b.add(parent, part, &Node{Kind: Table, origin: byParent})
		case n.origin == byArray:
			n = n.Children[len(n.Children)-1]
		case n.origin == byValue:
			return nil, nil, b.doc.Errorf(b.start(part), "%s is %s (line %d), so it cannot contain a table", JoinKey(n.Key), n.Kind, n.Line)
		}
		parent = n
	}
	return nil, nil, b.doc.Errorf(0, "a header without a key")
}

// keyValue adds `a.b.c = value` to a table.
func (b *builder) keyValue(table *Node, e *unstable.Node) error {
	it := e.Key()
	for it.Next() {
		part := it.Node()
		n := table.member(string(part.Data))
		if it.IsLast() {
			if n != nil {
				return b.duplicate(n, part)
			}
			n = b.add(table, part, &Node{})
			_, err := b.value(n, e.Value(), b.afterEquals(part))
			return err
		}
		switch {
		case n == nil:
			n = b.add(table, part, &Node{Kind: Table, origin: byDottedKey})
		case n.origin != byDottedKey:
			return b.duplicate(n, part)
		}
		table = n
	}
	return nil
}

// value fills n from v, which starts at offset start, and returns its end. The parser only gives the ranges of scalars. For arrays and inline
// tables, the end is found by skipping what is between the elements.
func (b *builder) value(n *Node, v *unstable.Node, start int) (end int, err error) {
	if n.Key == "" && n.KeyEnd == 0 {
		n.Line, n.Column = b.doc.Position(start)
	}
	n.Start = start
	switch v.Kind {
	case unstable.Array:
		n.Kind = Array
		end = start + 1
		for it := v.Children(); it.Next(); {
			child := &Node{}
			n.Children = append(n.Children, child)
			if end, err = b.value(child, it.Node(), b.skip(end)); err != nil {
				return 0, err
			}
		}
		end = b.skip(end) + 1
	case unstable.InlineTable:
		n.Kind, n.origin = Table, byDottedKey // open while its keys are being read
		end = start + 1
		for it := v.Children(); it.Next(); {
			if err := b.keyValue(n, it.Node()); err != nil {
				return 0, err
			}
			end = b.shift + int(it.Node().Raw.Offset+it.Node().Raw.Length)
		}
		end = b.skip(end) + 1
		n.close()
	default:
		end = b.shift + int(v.Raw.Offset+v.Raw.Length)
		if err := b.scalar(n, v, end); err != nil {
			return 0, err
		}
	}
	n.End = end
	return end, nil
}

// `close` closes an inline table and the tables created by its dotted keys.
func (n *Node) close() {
	n.origin = byValue
	for _, c := range n.Children {
		if c.origin == byDottedKey {
			c.close()
		}
	}
}

// skip returns the offset of the first byte at or after i that is not whitespace, a comma, or part of a comment.
func (b *builder) skip(i int) int {
	for src := b.doc.Src; i < len(src); i++ {
		switch src[i] {
		case ' ', '\t', '\r', '\n', ',':
		case '#':
			for i+1 < len(src) && src[i+1] != '\n' {
				i++
			}
		default:
			return i
		}
	}
	return i
}

// afterEquals returns the offset of the value after the equals sign. key is the last part of the key.
func (b *builder) afterEquals(key *unstable.Node) int {
	i := b.shift + int(key.Raw.Offset+key.Raw.Length)
	for src := b.doc.Src; i < len(src) && (src[i] == ' ' || src[i] == '\t' || src[i] == '='); {
		i++
	}
	return i
}

func (b *builder) start(key *unstable.Node) int { return b.shift + int(key.Raw.Offset) }

func (b *builder) add(parent *Node, key *unstable.Node, n *Node) *Node {
	n.Key = string(key.Data)
	b.place(n, key)
	parent.Children = append(parent.Children, n)
	switch {
	case parent.index != nil:
		parent.index[n.Key] = n
	case len(parent.Children) == indexFrom:
		parent.index = make(map[string]*Node, 2*indexFrom)
		for _, c := range parent.Children {
			parent.index[c.Key] = c
		}
	}
	return n
}

func (b *builder) place(n *Node, key *unstable.Node) {
	n.KeyStart = b.start(key)
	n.KeyEnd = n.KeyStart + int(key.Raw.Length)
	n.Line, n.Column = b.doc.Position(n.KeyStart)
}

func (b *builder) duplicate(first *Node, key *unstable.Node) error {
	return b.doc.Errorf(b.start(key), "%s is defined twice, first in line %d", JoinKey(first.Key), first.Line)
}
