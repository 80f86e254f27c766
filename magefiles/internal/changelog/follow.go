package changelog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Parts is a changelog split around one release's section. Concatenated in this order, the parts are the file.
type Parts struct {
	Before, Heading, Text, After string
}

// Split splits a changelog at the first section whose heading matches, and reports whether it was found.
func Split(src []byte, is func(title string) bool) (Parts, bool) {
	o := readOutline(src)
	for i, h := range o.headings {
		if h.release && is(h.title) {
			end := o.after(i, len(src))
			return Parts{
				Before:  string(src[:h.start]),
				Heading: string(src[h.start:h.end]),
				Text:    string(src[h.end:end]),
				After:   string(src[end:]),
			}, true
		}
	}
	return Parts{Before: string(src)}, false
}

// First returns the heading text of the newest release and its 1-based line number. The title is "" if there are no releases.
func First(src []byte) (title string, line int) {
	o := readOutline(src)
	if i := o.first(); i >= 0 {
		return o.headings[i].title, bytes.Count(src[:o.headings[i].start], []byte("\n")) + 1
	}
	return "", 0
}

// Digests returns short digests of a section's lines, with which [Follow] recognizes the lines. They are six hex digits each, without duplicates.
func Digests(text string) (all []string) {
	for line := range strings.Lines(text) {
		if d := digest(line); d != "" && !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	return all
}

func digest(line string) string {
	if line = strings.TrimSpace(line); line == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(line))
	return hex.EncodeToString(sum[:3])
}

// Follow merges a regenerated section with the user's edits to the previous one. It keeps the user's additions, removals and order. `earlier` has the
// digests of the lines that were generated before. If one of these lines is no longer generated, it is removed unless the user has changed it. New
// lines are added at the end of their group.
func Follow(earlier []string, theirs, anew string) string {
	newline := "\n"
	if strings.Contains(anew, "\r\n") {
		newline = "\r\n"
	}
	written, kept := readParts(anew), readParts(theirs)
	was := func(line string) bool { return slices.Contains(earlier, digest(line)) }
	var lines []string
	for _, g := range written {
		lines = append(lines, g.heading)
		lines = append(lines, g.lines...)
	}
	is := func(line string) bool {
		return slices.ContainsFunc(lines, func(l string) bool { return strings.TrimSpace(l) == strings.TrimSpace(line) })
	}
	for i := range kept {
		kept[i].lines = slices.DeleteFunc(kept[i].lines, func(line string) bool { return was(line) && !is(line) })
	}
	for _, g := range written {
		fresh := slices.DeleteFunc(slices.Clone(g.lines), func(line string) bool {
			return digest(line) == "" || was(line) || strings.Contains(theirs, strings.TrimSpace(line))
		})
		i := slices.IndexFunc(kept, func(k group) bool { return k.name() == g.name() })
		if i < 0 {
			if len(fresh) == 0 {
				continue // removed by the user
			}
			kept, i = append(kept, group{heading: g.heading}), len(kept)
		}
		if was(kept[i].heading) {
			kept[i].heading = g.heading // the version in the heading has changed
		}
		kept[i].lines = append(trimBlank(kept[i].lines), fresh...)
	}
	var parts []string
	for _, g := range kept {
		text := strings.Join(trimBlank(g.lines), "\n")
		switch {
		case text == "" && (g.heading == "" || was(g.heading)):
			continue
		case g.heading != "":
			text = strings.TrimRight(g.heading+"\n\n"+text, "\n")
		}
		parts = append(parts, text)
	}
	return strings.ReplaceAll("\n\n"+strings.Join(parts, "\n\n")+"\n", "\n", newline)
}

// group is the content below one heading in a section. The first group has no heading.
type group struct {
	heading string
	lines   []string // without line endings
}

// name returns the first word of a heading, which identifies the group. A version may follow this word.
func (g group) name() string {
	word, _, _ := strings.Cut(strings.TrimSpace(strings.TrimLeft(g.heading, "# ")), " ")
	return word
}

// readParts splits a section at Markdown headings. It is not enough to look for #, which also occurs in code, in comments, and in issue numbers.
func readParts(text string) []group {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	heads := map[int]bool{}
	for _, h := range readOutline([]byte(text)).headings {
		heads[h.start] = true
	}
	all, at := []group{{}}, 0
	for line := range strings.Lines(text) {
		start := at
		at += len(line)
		line = strings.TrimRight(line, "\n")
		if heads[start] && strings.HasPrefix(line, "#") {
			all = append(all, group{heading: line})
			continue
		}
		last := &all[len(all)-1]
		last.lines = append(last.lines, line)
	}
	return all
}

// trimBlank removes leading and trailing blank lines.
func trimBlank(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
