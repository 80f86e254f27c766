package changelog

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// heading is a heading in a changelog. Headings in comments, code, lists and quotations do not count.
type heading struct {
	start, end int  // range of the heading's lines, without the last line ending
	level      int  // 1 to 6
	underlined byte // '=' or '-' if the heading is underlined; otherwise 0
	title      string

	release    bool   // whether the heading is a version or a date
	number     string // version number of the release
	unreleased bool
}

// version matches a version or a date at the start of a heading, optionally after a name, and what may follow it: a link, a date, a word in
// parentheses.
const version = `\[?(v?\d+(?:\.\d+)+(?:[-.+]?[0-9A-Za-z]+)*|v\d+|\d+|\d{4}-\d{2}-\d{2})\]?(?:\([^()]*\)|\[[^\[\]]*\])?`

var (
	// strictly matches a heading that can only belong to a release.
	strictly = regexp.MustCompile("^[\\s*_`]*(?:(?i:version|release|ver\\.?)\\s+|[A-Za-z][\\w.-]*[ @/])?" + version + "[\\s*_`]*(?:$|[-–—―:(,/|~*]|\\d{4}|(?i:released|yanked))")

	// loosely matches a heading that belongs to a release if its level is 1 or 2. At lower levels, such a heading may be part of a release's section.
	loosely = regexp.MustCompile("^[\\s*_`]*(?:(?i:version|release|ver\\.?)\\s+)?" + version + `(?:\s|$)`)

	// open matches the heading of unreleased changes.
	open = regexp.MustCompile(`(?i)^\W*(?:unreleased(?:\W.*)?|next(?: release| version)?|upcoming(?: release)?|(?:in )?development|head|main|master|trunk|tbd|wip)\W*$`)

	// opened matches the end of a heading for an upcoming version: 1.2.0 (unreleased).
	opened = regexp.MustCompile(`(?i)[-–—(]\s*(?:unreleased|in development|tbd|wip)\s*\)?\s*$`)
)

// outline is the list of headings in a changelog.
type outline struct {
	headings []heading
	strange  bool // whether the file has content beyond a title and paragraphs but no release headings, so its releases may have an unknown format
}

// readOutline finds the headings of a Markdown file.
func readOutline(src []byte) (o outline) {
	from := skipFrontMatter(src)
	body := src[from:]
	doc := parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...), parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...)).
		Parse(text.NewReader(body))
	others := false
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		switch n := n.(type) {
		case *ast.Heading:
			if n.Lines().Len() > 0 {
				o.headings = append(o.headings, newHeading(body, n, from))
			}
		case *ast.Paragraph:
			for i := range n.Lines().Len() {
				at := n.Lines().At(i)
				others = others || strictly.Match(bytes.TrimSpace(at.Value(body)))
			}
		case *ast.HTMLBlock, *ast.ThematicBreak, *ast.LinkReferenceDefinition:
		default:
			others = others || o.open() < 0
		}
	}
	first := o.first()
	o.strange = first < 0 && (others || o.open() < 0 && len(o.headings) > 1)
	return o
}

// skipFrontMatter returns the offset of the text after a byte order mark and front matter for a site generator.
func skipFrontMatter(src []byte) int {
	from := 0
	if bytes.HasPrefix(src, []byte("\ufeff")) {
		from = len("\ufeff")
	}
	rest := src[from:]
	if !bytes.HasPrefix(rest, []byte("---\n")) && !bytes.HasPrefix(rest, []byte("---\r\n")) {
		return from
	}
	at := bytes.IndexByte(rest, '\n') + 1
	for at < len(rest) {
		line, _, _ := bytes.Cut(rest[at:], []byte("\n"))
		at += len(line) + 1
		if string(bytes.TrimRight(line, "\r")) == "---" {
			return from + min(at, len(rest))
		}
	}
	return from
}

func newHeading(body []byte, n *ast.Heading, from int) heading {
	lines := n.Lines()
	first, last := lines.At(0), lines.At(lines.Len()-1)
	h := heading{level: n.Level}
	h.start = bytes.LastIndexByte(body[:first.Start], '\n') + 1
	h.end = lineEnd(body, last.Start)
	if !bytes.HasPrefix(bytes.TrimLeft(body[h.start:], " "), []byte("#")) {
		below := min(h.end+1, len(body))
		h.end = lineEnd(body, below)
		h.underlined = '-'
		if n.Level == 1 {
			h.underlined = '='
		}
	}
	h.title = strings.TrimSpace(string(body[first.Start:last.Stop]))
	m := strictly.FindStringSubmatch(h.title)
	if m == nil && h.level <= 2 {
		m = loosely.FindStringSubmatch(h.title)
	}
	h.unreleased = open.MatchString(h.title) || m != nil && opened.MatchString(h.title)
	if m != nil && !open.MatchString(h.title) {
		h.release, h.number = true, m[1]
	}
	h.start, h.end = h.start+from, h.end+from
	return h
}

// lineEnd returns the offset of the end of the line, excluding a carriage return.
func lineEnd(src []byte, at int) int {
	end := len(src)
	if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
		end = at + i
	}
	if end > at && src[end-1] == '\r' {
		end--
	}
	return end
}

// `open` returns the index of the section for unreleased changes, or -1.
func (o outline) open() int {
	for i, h := range o.headings {
		if h.unreleased {
			return i
		}
	}
	return -1
}

// `first` returns the index of the newest release, or -1.
func (o outline) first() int {
	for i, h := range o.headings {
		if h.release && !h.unreleased {
			return i
		}
	}
	return -1
}

// rising reports whether the newest release is last.
func (o outline) rising() bool {
	var numbers []string
	for i, h := range o.headings {
		if h.release && !h.unreleased {
			numbers = append(numbers, h.number)
		}
		if h.unreleased && i > 0 && len(numbers) > 0 {
			return true
		}
	}
	return len(numbers) > 1 && less(numbers[0], numbers[len(numbers)-1])
}

// `less` compares the numbers in versions or dates.
func less(a, b string) bool {
	numbers := func(text string) (all []int) {
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(part)
			all = append(all, n)
		}
		return all
	}
	x, y := numbers(a), numbers(b)
	for i := range min(len(x), len(y), 3) {
		if x[i] != y[i] {
			return x[i] < y[i]
		}
	}
	return false
}

// `after` returns the end of a heading's section: the next heading of the same or a higher level, or the next release. (standard-version uses the
// same level for a patch's heading as for the headings inside it.)
func (o outline) after(i, length int) int {
	level := o.headings[i].level
	if o.headings[i].release && level > 2 {
		level--
	}
	for _, h := range o.headings[i+1:] {
		if h.level <= level || h.release || h.unreleased {
			return h.start
		}
	}
	return length
}

// Section returns the text of the first release with a matching heading, without the heading, or "".
func Section(src []byte, is func(title string) bool) string {
	o := readOutline(src)
	for i, h := range o.headings {
		if h.release && is(h.title) {
			return strings.TrimSpace(string(src[h.end:o.after(i, len(src))]))
		}
	}
	return ""
}
