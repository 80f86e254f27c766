package changelog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Parts are a changelog around the section of one release. Put together in this order they are the file.
type Parts struct {
	Before, Heading, Text, After string
}

// Split takes a changelog apart at the first section whose heading is the one that is asked for, and reports whether there is one.
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

// First is the title of the newest release, as its heading has it, and its line, from 1; "" where there is none.
func First(src []byte) (title string, line int) {
	o := readOutline(src)
	if i := o.first(); i >= 0 {
		return o.headings[i].title, bytes.Count(src[:o.headings[i].start], []byte("\n")) + 1
	}
	return "", 0
}

// Digests are short digests of the lines of a section, by which [Follow] knows them again: six hex digits each, none of them twice.
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

// Follow is the text of a section that was written anew, with what people made of the one before it: their lines, their order, and without what they
// took out. earlier are the digests of the lines that were written before. What was written then and is not written any more goes, if people
// left it as it was; what is new comes at the end of its group.
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
				continue // people have taken it out
			}
			kept, i = append(kept, group{heading: g.heading}), len(kept)
		}
		if was(kept[i].heading) {
			kept[i].heading = g.heading // its version is another one
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

// group are the lines below one heading of a section; the first has none.
type group struct {
	heading string
	lines   []string // without their ends
}

// name is what a heading is known by: its first word, as a version may follow.
func (g group) name() string {
	word, _, _ := strings.Cut(strings.TrimSpace(strings.TrimLeft(g.heading, "# ")), " ")
	return word
}

// readParts goes by headings as Markdown has them: a # may also stand in code, in a comment, or before the number of an issue.
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

// trimBlank takes blank lines from both ends.
func trimBlank(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
