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

// heading is a heading of a changelog that stands in no comment, code, list or quotation.
type heading struct {
	start, end int  // of its lines, without the last line end
	level      int  // 1 to 6
	underlined byte // '=' or '-' where it is underlined; 0 else
	title      string

	release    bool   // of one version, or of a day
	number     string // of a release
	unreleased bool
}

// version is a version or a day as a heading begins with it, maybe after a name, and what may follow: a link, a day, a word in parentheses.
const version = `\[?(v?\d+(?:\.\d+)+(?:[-.+]?[0-9A-Za-z]+)*|v\d+|\d+|\d{4}-\d{2}-\d{2})\]?(?:\([^()]*\)|\[[^\[\]]*\])?`

var (
	// strictly is a heading that cannot be of anything else than a release.
	strictly = regexp.MustCompile("^[\\s*_`]*(?:(?i:version|release|ver\\.?)\\s+|[A-Za-z][\\w.-]*[ @/])?" + version + "[\\s*_`]*(?:$|[-–—―:(,/|~*]|\\d{4}|(?i:released|yanked))")

	// loosely is one that may be of a part of a release, unless it is of a high level.
	loosely = regexp.MustCompile("^[\\s*_`]*(?:(?i:version|release|ver\\.?)\\s+)?" + version + `(?:\s|$)`)

	// open is the heading of what is not released.
	open = regexp.MustCompile(`(?i)^\W*(?:unreleased(?:\W.*)?|next(?: release| version)?|upcoming(?: release)?|(?:in )?development|head|main|master|trunk|tbd|wip)\W*$`)

	// opened is what a heading ends in that names the version to come: 1.2.0 (unreleased).
	opened = regexp.MustCompile(`(?i)[-–—(]\s*(?:unreleased|in development|tbd|wip)\s*\)?\s*$`)
)

// outline is what a changelog consists of.
type outline struct {
	headings []heading
	strange  bool // it has more than a title and paragraphs, and no heading of a release: releases may be told in another form
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

// skipFrontMatter returns where the text begins behind a byte order mark and the lines for a site generator.
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

// lineEnd is the offset of the end of a line, without the carriage return before it.
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

// open is the index of the section for what is not released; -1 where there is none.
func (o outline) open() int {
	for i, h := range o.headings {
		if h.unreleased {
			return i
		}
	}
	return -1
}

// first is the index of the newest release; -1 where there is none.
func (o outline) first() int {
	for i, h := range o.headings {
		if h.release && !h.unreleased {
			return i
		}
	}
	return -1
}

// rising reports whether the newest release stands at the bottom.
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

// less compares versions, or days, by their numbers.
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

// after is where the section of a heading ends: at the next one of its level or above it, or of a release. standard-version gives a patch
// the level of its own parts.
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

// Section returns the text of the first release whose heading is the one that is asked for, without that; "" where there is none.
func Section(src []byte, is func(title string) bool) string {
	o := readOutline(src)
	for i, h := range o.headings {
		if h.release && is(h.title) {
			return strings.TrimSpace(string(src[h.end:o.after(i, len(src))]))
		}
	}
	return ""
}
