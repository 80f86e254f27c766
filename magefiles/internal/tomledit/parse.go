package tomledit

import (
	"bytes"
	"errors"
	"fmt"
	"sort"
	"sync"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Document is a parsed file.
type Document struct {
	Name string // name used in errors
	Src  []byte
	Root *Node

	lines []int // offset of the first byte of each line
}

// Error is a syntax error with its position.
type Error struct {
	Name    string
	Line    int // from 1
	Column  int // in bytes, from 1
	Problem string
}

// Error returns one sentence that starts with the position: "pixi.toml:3:7: expected '=' after key".
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Name, e.Line, e.Column, e.Problem)
}

// Position converts an offset into Src to a line and a column (in bytes), both 1-based.
func (d *Document) Position(offset int) (line, column int) {
	i := sort.SearchInts(d.lines, offset+1) - 1
	column = offset - d.lines[i] + 1
	if i == 0 && offset >= len(bom) && bytes.HasPrefix(d.Src, bom) {
		column -= len(bom) // editors do not count the byte order mark
	}
	return i + 1, column
}

// Errorf returns an *Error at an offset into Src.
func (d *Document) Errorf(offset int, format string, args ...any) error {
	line, column := d.Position(offset)
	return &Error{Name: d.Name, Line: line, Column: column, Problem: fmt.Sprintf(format, args...)}
}

// parsers allows parsers to be reused, because a workspace has thousands of small files.
var parsers = sync.Pool{New: func() any { return new(unstable.Parser) }}

var bom = []byte("\xef\xbb\xbf")

// Parse parses TOML 1.1. Errors are of type *Error. src must not be modified while the document is in use.
func Parse(name string, src []byte) (*Document, error) {
	d := &Document{Name: name, Src: src, Root: &Node{Kind: Table, Line: 1, Column: 1}, lines: lineStarts(src)}
	if i := invalidUTF8(src); i >= 0 {
		return nil, d.Errorf(i, "the file is not UTF-8 text here")
	}
	b := &builder{doc: d, table: d.Root, parser: parsers.Get().(*unstable.Parser)}
	defer func() { b.parser.Reset(nil); parsers.Put(b.parser) }()
	if bytes.HasPrefix(src, bom) {
		b.shift = len(bom)
	}
	b.parser.Reset(src[b.shift:])
	for b.parser.NextExpression() {
		if err := b.expression(b.parser.Expression()); err != nil {
			return nil, err
		}
	}
	if err := b.parser.Error(); err != nil {
		return nil, b.syntaxError(err)
	}
	return d, nil
}

func lineStarts(src []byte) []int {
	starts := make([]int, 1, 1+bytes.Count(src, []byte{'\n'}))
	for i, c := range src {
		if c == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// invalidUTF8 returns the offset of the first byte that is not valid UTF-8, or -1.
func invalidUTF8(src []byte) int {
	if utf8.Valid(src) {
		return -1
	}
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
	return -1
}

func (b *builder) syntaxError(err error) error {
	var p *unstable.ParserError
	if !errors.As(err, &p) {
		return b.doc.Errorf(len(b.doc.Src), "%s", err)
	}
	// The highlight is a subslice of the parser's input, so its offset follows from the capacities.
	offset := b.shift + cap(b.parser.Data()) - cap(p.Highlight)
	return b.doc.Errorf(max(0, min(offset, len(b.doc.Src))), "%s", p.Message)
}
