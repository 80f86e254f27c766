// Package changelog adds a release's section to a changelog in the Keep a Changelog format, after the heading Unreleased. Entries that
// were written below that heading are moved into the section. The package does not know about packages or versions: a section has a title, and
// groups of lines.
//
//	changelog.go sections.go    add a section, and parse existing ones
//	follow.go         regenerates a section, and keeps the user's changes to it
//	file.go           finds the changelog
//	conventional.go revert.go    parse commit messages, including reverts, and format a line for a commit
//	markdown.go       escapes arbitrary text for a line of Markdown
package changelog

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

const head = `# Changelog

All notable changes are listed here, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

`

// Group is the content below a third-level heading.
type Group struct {
	Name  string // heading text; "" for lines before the first heading
	Lines string // lines, including line endings
}

// New returns a changelog with a single release.
func New(title string, groups []Group) tomledit.Splice {
	return tomledit.Splice{New: head + "## [Unreleased]\n\n## " + title + "\n\n" + render(3, groups)}
}

// Add inserts a section before the newest release. The lines below the heading Unreleased are moved into the new section. The new heading has the
// same level and style as the existing headings. `file` is the changelog's name in messages. Add returns an error if it does not recognize the
// changelog's structure.
func Add(file, src, title string, groups []Group) (tomledit.Splice, error) {
	const next = "give each release a heading such as `## [1.2.0] - 2026-01-02`, newest first; or pass -changelog=false, and write the new section yourself"
	o := readOutline([]byte(src))
	switch {
	case o.strange:
		return tomledit.Splice{}, operr.New(next, "%s has no heading that names a release, so it is unknown where the new section belongs; nothing was changed", file)
	case o.rising():
		return tomledit.Splice{}, operr.New(next, "%s has its newest release at the bottom, but a new section is written at the top; nothing was changed", file)
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
				form = h // some changelogs use a lower heading level for patches
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
		if begin, before = h.end, newline+newline; h.release { // the section already has this version: replace its heading
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

// write returns a heading with another title, in the same level and style.
func (h heading) write(title string) string {
	if h.underlined != 0 {
		return title + "\n" + strings.Repeat(string(h.underlined), len(title))
	}
	return strings.Repeat("#", h.level) + " " + title
}

// readGroups parses the groups in the section of heading i, which ends at offset end.
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

// merge combines groups with the same name, in order of first appearance.
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

// render formats groups with headings of the given level.
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
