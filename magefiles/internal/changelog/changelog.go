// Package changelog writes a release's section into a changelog in the form of Keep a Changelog: behind what people wrote under
// Unreleased, which it takes over. It knows neither packages nor versions: a section has a title, and groups of lines.
//
//	changelog.go sections.go    the section that is added, and those that are there
//	follow.go         a section that is written anew, with what people made of the one before
//	file.go           which file it is
//	conventional.go revert.go    what the message of a commit says of it and takes back, and the line that it gets
//	markdown.go       text of anybody's as a line of Markdown
package changelog

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

const head = `# Changelog

All notable changes are listed here, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

`

// Group is the lines below one heading of the third level.
type Group struct {
	Name  string // "" for those before the first
	Lines string // each with its end
}

// New is a changelog whose one release has a title and groups.
func New(title string, groups []Group) tomledit.Splice {
	return tomledit.Splice{New: head + "## [Unreleased]\n\n## " + title + "\n\n" + render(3, groups)}
}

// Add puts a section before that of the newest release, or behind that of Unreleased, whose lines it takes over. It has their level,
// and is underlined as they are. file names the changelog for people: one whose form is not understood is refused.
func Add(file, src, title string, groups []Group) (tomledit.Splice, error) {
	const next = "give each release a heading such as `## [1.2.0] - 2026-01-02`, the newest one first; or leave the changelog to yourself: -changelog=false"
	o := readOutline([]byte(src))
	switch {
	case o.strange:
		return tomledit.Splice{}, operr.New(next, "%s has no heading that is of a release, and it cannot be told where the new section goes; nothing was changed", file)
	case o.rising():
		return tomledit.Splice{}, operr.New(next, "%s has its newest release at the bottom, and a section is written on top; nothing was changed", file)
	}
	newline := "\n"
	if strings.Contains(src, "\r\n") {
		newline = "\r\n"
	}
	begin, end, before := len(src), len(src), ""
	form := heading{level: 2}
	first := o.first()
	if first >= 0 {
		form = o.headings[first]
		for _, h := range o.headings {
			if h.release && h.level < form.level {
				form = h // of one whose patches have a lower heading
			}
		}
	}
	if i := o.open(); i >= 0 {
		h := o.headings[i]
		if form = h; first >= 0 && h.level > o.headings[first].level {
			form.level = o.headings[first].level
		}
		end = o.after(i, len(src))
		groups = append(readGroups(src, o, i, end), groups...)
		if begin, before = h.end, newline+newline; h.release { // of this very release: its heading becomes ours
			begin, before = h.start, ""
		}
	} else if first >= 0 {
		begin = o.headings[first].start
		end = begin
	} else if src != "" {
		plain := strings.ReplaceAll(src, "\r\n", "\n")
		before = strings.Repeat(newline, 2-min(2, len(plain)-len(strings.TrimRight(plain, "\n"))))
	}
	added := form.write(title) + "\n\n" + render(form.level+1, groups)
	added = before + strings.ReplaceAll(added, "\n", newline)
	if end < len(src) {
		added += newline
	}
	return tomledit.Splice{Start: begin, Old: src[begin:end], New: added}, nil
}

// write is a heading of the same level and form.
func (h heading) write(title string) string {
	if h.underlined != 0 {
		return title + "\n" + strings.Repeat(string(h.underlined), len(title))
	}
	return strings.Repeat("#", h.level) + " " + title
}

// readGroups takes the lines of a section apart, which ends at an offset.
func readGroups(src string, o outline, i, end int) []Group {
	clean := func(from, to int) string {
		return strings.Trim(strings.ReplaceAll(src[from:to], "\r\n", "\n"), "\n")
	}
	var out []Group
	name, from := "", o.headings[i].end
	for _, h := range o.headings[i+1:] {
		if h.start >= end {
			break
		}
		if h.level == o.headings[i].level+1 {
			out = append(out, Group{Name: name, Lines: clean(from, h.start)})
			name, from = h.title, h.end
		}
	}
	return append(out, Group{Name: name, Lines: clean(from, end)})
}

// merge puts groups of one name together, in the order in which they come first.
func merge(groups []Group) []Group {
	var out []Group
	at := map[string]int{}
	for _, g := range groups {
		g.Lines = strings.Trim(g.Lines, "\n")
		if g.Lines == "" {
			continue
		}
		if i, ok := at[g.Name]; ok {
			out[i].Lines += "\n" + g.Lines
			continue
		}
		at[g.Name] = len(out)
		out = append(out, g)
	}
	return out
}

// render writes groups below headings of a level.
func render(level int, groups []Group) string {
	var parts []string
	for _, g := range merge(groups) {
		text := g.Lines + "\n"
		if g.Name != "" {
			text = strings.Repeat("#", min(level, 6)) + " " + g.Name + "\n\n" + text
		}
		parts = append(parts, text)
	}
	if parts == nil {
		return "No change of note.\n"
	}
	return strings.Join(parts, "\n")
}
