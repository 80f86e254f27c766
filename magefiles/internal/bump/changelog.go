package bump

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/version"
)

// ChangelogFile is where the changelog stands, in the workspace's root.
const ChangelogFile = "CHANGELOG.md"

const changelogHead = `# Changelog

All notable changes are listed here, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

`

var (
	section    = regexp.MustCompile(`(?m)^## .*$`)
	unreleased = regexp.MustCompile(`(?mi)^## +\[?unreleased\]?[^\r\n]*`)
	subsection = regexp.MustCompile(`(?m)^### +(.*?)[ \t]*$`)
)

// changelog adds a section for the new versions: what people wrote under Unreleased, which goes there, and a line for each
// commit that asked for the release, both grouped by package.
func (p *planner) changelog(ctx context.Context) error {
	if err := changelogIsFile(p.w.Root); err != nil {
		return err
	}
	src, err := os.ReadFile(filepath.Join(p.w.Root, ChangelogFile))
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing {
		return operr.New("make the file readable", "reading the changelog: %w", err)
	}
	groups, err := p.changes(ctx)
	if err != nil {
		return err
	}
	if missing {
		text := changelogHead + "## [Unreleased]\n\n" + p.heading() + render(groups, "\n")
		p.edit.edits[ChangelogFile] = []Edit{newEdit(nil, tomledit.Splice{New: text}, "changelog")}
		return nil
	}
	p.edit.src[ChangelogFile] = src
	p.plan.Read[ChangelogFile] = digest(src)
	p.changelogEdit(string(src), groups)
	return nil
}

// changelogIsFile refuses a changelog that is a link or a folder, or that has a double whose name differs in case only: where file
// systems do not tell them apart, one of the two would be lost.
func changelogIsFile(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return operr.New("make the folder readable", "looking for the changelog: %w", err)
	}
	for _, e := range entries {
		switch {
		case e.Name() != ChangelogFile && strings.EqualFold(e.Name(), ChangelogFile):
			return operr.New("`git mv "+e.Name()+" "+ChangelogFile+"`, or, where both are there, keep one of them",
				"there is a file %s, and the changelog is %s: they differ in case only", e.Name(), ChangelogFile)
		case e.Name() != ChangelogFile || e.Type().IsRegular():
		case e.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(filepath.Join(root, ChangelogFile))
			next := "put the file itself in its place: `git rm " + ChangelogFile + "`, then `git mv " + target + " " + ChangelogFile + "`"
			if _, err := os.Stat(filepath.Join(root, ChangelogFile)); err != nil {
				next = "remove it, for it leads nowhere: `git rm " + ChangelogFile + "`"
			} else if !filepath.IsLocal(target) { // nothing that git could move
				next = "put a file in its place: `git rm " + ChangelogFile + "`, then `cp " + target + " " + ChangelogFile + "`"
			}
			return operr.New(next, "%s is a link to %s, and the changelog is not written through a link", ChangelogFile, target)
		default:
			return operr.New("move it away", "%s is not a file, and a release writes its changelog there", ChangelogFile)
		}
	}
	return nil
}

// changelogEdit puts the section behind that of Unreleased, whose lines it takes over.
func (p *planner) changelogEdit(src string, groups []group) {
	newline := "\n"
	if strings.Contains(src, "\r\n") {
		newline = "\r\n"
	}
	begin, end, head := len(src), len(src), ""
	if m := unreleased.FindStringIndex(src); m != nil {
		begin, end = m[1], len(src)
		if next := section.FindStringIndex(src[m[1]:]); next != nil {
			end = m[1] + next[0]
		}
		groups = append(readGroups(src[begin:end]), groups...)
		head = newline + newline
	} else if m := section.FindStringIndex(src); m != nil {
		begin, end = m[0], m[0]
	} else if src != "" && !strings.HasSuffix(src, "\n") {
		head = newline + newline
	}
	text := head + strings.ReplaceAll(p.heading()+render(merge(groups), "\n"), "\n", newline)
	if end < len(src) {
		text += newline
	}
	p.edit.edits[ChangelogFile] = []Edit{newEdit([]byte(src), tomledit.Splice{Start: begin, Old: src[begin:end], New: text}, "changelog")}
}

// heading is that of the new section: the version, or the day where packages have their own.
func (p *planner) heading() string {
	if len(p.plan.Tags) == 1 {
		return "## [" + strings.TrimPrefix(p.plan.Tags[0].Name, "v") + "] - " + p.req.Date + "\n\n"
	}
	return "## " + p.req.Date + "\n\n"
}

// group is the lines below one heading of the third level; "" for those before the first.
type group struct {
	name  string
	lines string
}

// changes returns what the commits since the last tag changed, by package.
func (p *planner) changes(ctx context.Context) ([]group, error) {
	var out []group
	for _, m := range p.plan.Packages {
		name := m.Name
		if strings.HasPrefix(p.tagName(m.Name, ""), "v") && len(p.plan.Tags) == 1 {
			name = "" // all packages have one tag
		}
		pkg, err := p.w.Package(m.Name)
		if err != nil {
			return nil, err
		}
		now := p.now[m.Name]
		found, err := p.sinceLastTag(ctx, now, name, pkg)
		if err != nil {
			return nil, err
		}
		g := group{name: m.Name}
		if len(p.plan.Tags) > 1 {
			g.name += " " + m.New
		}
		for _, size := range []version.Size{version.Major, version.Minor, version.Patch} {
			for _, c := range found.deciding {
				if c.size(now) == size {
					g.lines += changelogLine(c)
				}
			}
		}
		for _, r := range m.Why {
			if r.Kind == Pinned || r.Kind == Shared {
				g.lines += "- " + capital(r.Text) + ".\n"
			}
		}
		if g.lines != "" {
			out = append(out, g)
		}
	}
	return out, nil
}

// changelogLine is "- Breaking: description (1a2b3c4)".
func changelogLine(c Commit) string {
	kind, isBreaking, text := c.kind()
	text = capital(asMarkdown(text))
	switch {
	case isBreaking:
		text = "**Breaking:** " + text
	case kind == "revert":
		text = "Reverted: " + text
	}
	return fmt.Sprintf("- %s (%s)\n", text, c.Hash)
}

func capital(text string) string {
	_, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:n]) + text[n:]
}

// readGroups takes the lines of a section apart.
func readGroups(text string) []group {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var out []group
	name, from := "", 0
	for _, m := range subsection.FindAllStringSubmatchIndex(text, -1) {
		out = append(out, group{name: name, lines: strings.Trim(text[from:m[0]], "\n")})
		name, from = text[m[2]:m[3]], m[1]
	}
	return append(out, group{name: name, lines: strings.Trim(text[from:], "\n")})
}

// merge puts groups of one name together, in the order in which they come first.
func merge(groups []group) []group {
	var out []group
	at := map[string]int{}
	for _, g := range groups {
		g.lines = strings.Trim(g.lines, "\n")
		if g.lines == "" {
			continue
		}
		if i, ok := at[g.name]; ok {
			out[i].lines += "\n" + g.lines
			continue
		}
		at[g.name] = len(out)
		out = append(out, g)
	}
	return out
}

func render(groups []group, newline string) string {
	var parts []string
	for _, g := range merge(groups) {
		text := g.lines + newline
		if g.name != "" {
			text = "### " + g.name + newline + newline + text
		}
		parts = append(parts, text)
	}
	if parts == nil {
		return "No change of note." + newline
	}
	return strings.Join(parts, newline)
}
