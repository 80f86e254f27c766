// Package changelog writes a release's section into a changelog in the form of Keep a Changelog: behind what people wrote under
// Unreleased, which it takes over. It knows neither packages nor versions: a section has a title, and groups of lines.
//
//	changelog.go      the file, its sections, and the one that is added
//	conventional.go revert.go    what the message of a commit says of it and takes back, and the line that it gets
//	markdown.go       text of anybody's as a line of Markdown
package changelog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// File is where the changelog stands, in the workspace's root.
const File = "CHANGELOG.md"

const head = `# Changelog

All notable changes are listed here, in the form of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

`

var (
	section    = regexp.MustCompile(`(?m)^## .*$`)
	unreleased = regexp.MustCompile(`(?mi)^## +\[?unreleased\]?[^\r\n]*`)
	subsection = regexp.MustCompile(`(?m)^### +(.*?)[ \t]*$`)
)

// Group is the lines below one heading of the third level.
type Group struct {
	Name  string // "" for those before the first
	Lines string // each with its end
}

// Read returns the changelog of a folder; there is false where it has none. It refuses one that could not be replaced as a file.
func Read(root string) (src []byte, there bool, err error) {
	if err := checkFile(root); err != nil {
		return nil, false, err
	}
	src, err = os.ReadFile(filepath.Join(root, File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, operr.New("make the file readable", "reading the changelog: %w", err)
	}
	return src, true, nil
}

// checkFile refuses a changelog that is a link or a folder, or that has a double whose name differs in case only: where file
// systems do not tell them apart, one of the two would be lost.
func checkFile(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return operr.New("make the folder readable", "looking for the changelog: %w", err)
	}
	for _, e := range entries {
		switch {
		case e.Name() != File && strings.EqualFold(e.Name(), File):
			return operr.New("`git mv "+e.Name()+" "+File+"`, or, where both are there, keep one of them",
				"there is a file %s, and the changelog is %s: they differ in case only", e.Name(), File)
		case e.Name() != File || e.Type().IsRegular():
		case e.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(filepath.Join(root, File))
			next := "put the file itself in its place: `git rm " + File + "`, then `git mv " + target + " " + File + "`"
			if _, err := os.Stat(filepath.Join(root, File)); err != nil {
				next = "remove it, for it leads nowhere: `git rm " + File + "`"
			} else if !filepath.IsLocal(target) { // nothing that git could move
				next = "put a file in its place: `git rm " + File + "`, then `cp " + target + " " + File + "`"
			}
			return operr.New(next, "%s is a link to %s, and the changelog is not written through a link", File, target)
		default:
			return operr.New("move it away", "%s is not a file, and a release writes its changelog there", File)
		}
	}
	return nil
}

// New is a changelog whose one release has a title and groups.
func New(title string, groups []Group) tomledit.Splice {
	return tomledit.Splice{New: head + "## [Unreleased]\n\n## " + title + "\n\n" + render(groups)}
}

// Add puts a section behind that of Unreleased, whose lines it takes over.
func Add(src, title string, groups []Group) tomledit.Splice {
	newline := "\n"
	if strings.Contains(src, "\r\n") {
		newline = "\r\n"
	}
	begin, end, before := len(src), len(src), ""
	if m := unreleased.FindStringIndex(src); m != nil {
		begin, end = m[1], len(src)
		if next := section.FindStringIndex(src[m[1]:]); next != nil {
			end = m[1] + next[0]
		}
		groups = append(readGroups(src[begin:end]), groups...)
		before = newline + newline
	} else if m := section.FindStringIndex(src); m != nil {
		begin, end = m[0], m[0]
	} else if src != "" && !strings.HasSuffix(src, "\n") {
		before = newline + newline
	}
	text := before + strings.ReplaceAll("## "+title+"\n\n"+render(groups), "\n", newline)
	if end < len(src) {
		text += newline
	}
	return tomledit.Splice{Start: begin, Old: src[begin:end], New: text}
}

// readGroups takes the lines of a section apart.
func readGroups(text string) []Group {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	var out []Group
	name, from := "", 0
	for _, m := range subsection.FindAllStringSubmatchIndex(text, -1) {
		out = append(out, Group{Name: name, Lines: strings.Trim(text[from:m[0]], "\n")})
		name, from = text[m[2]:m[3]], m[1]
	}
	return append(out, Group{Name: name, Lines: strings.Trim(text[from:], "\n")})
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

func render(groups []Group) string {
	var parts []string
	for _, g := range merge(groups) {
		text := g.Lines + "\n"
		if g.Name != "" {
			text = "### " + g.Name + "\n\n" + text
		}
		parts = append(parts, text)
	}
	if parts == nil {
		return "No change of note.\n"
	}
	return strings.Join(parts, "\n")
}
