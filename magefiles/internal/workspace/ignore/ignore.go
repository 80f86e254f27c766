// Package ignore knows which files and folders of a repository are no part of it, as .gitignore and .ignore say (ignore.go).
package ignore

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/pattern"

	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// ignoreFiles are the committed files that say what is no part of the repository, the stronger one first. As pixi does,
// they count without a git repository, and the machine's own (global excludes, .git/info/exclude) do not.
var ignoreFiles = [...]string{".ignore", ".gitignore"}

// rule is one line of such a file (gitignore(5)). mvdan.cc/sh turns the pattern into a regular expression; of the
// gitignore packages that could be had none knows negated classes and patterns that need to backtrack. Against
// `git check-ignore` it differs for one thing: a bracket left open across a slash ("[/[ab]"), which git takes as a class.
type rule struct {
	match   *regexp.Regexp
	base    bool // the pattern has no slash: it is matched with the last element alone
	negate  bool
	dirOnly bool
}

// Folder is what holds in one directory: its own files' rules, and its parents'.
type Folder struct {
	parent *Folder
	dir    string // relative to the workspace's root, "." for itself
	above  string // for a directory above the root: the root's path from there; else ""
	rules  [len(ignoreFiles)][]rule
}

// In returns what holds in a directory below, with the ignore files among its entries.
func (g *Folder) In(dir, abs string, entries []fs.DirEntry) *Folder {
	here := &Folder{parent: g, dir: dir}
	found := false
	for _, e := range entries {
		i := slices.Index(ignoreFiles[:], e.Name())
		if i < 0 {
			continue
		}
		file := filepath.Join(abs, e.Name())
		if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
			continue // a link to a device or a pipe has no end
		}
		if data, err := beneath.Read(file); err == nil {
			here.rules[i] = parse(string(data))
			found = true
		}
	}
	if !found {
		return g
	}
	return here
}

// Ignores reports whether a file or directory is excluded; hidden ones are, unless a rule says otherwise.
func (g *Folder) Ignores(name string, isDir bool) bool {
	for i := range ignoreFiles {
		for at := g; at != nil; at = at.parent {
			for j := len(at.rules[i]) - 1; j >= 0; j-- {
				if r := at.rules[i][j]; r.matches(at.relative(name), isDir) {
					return !r.negate
				}
			}
		}
	}
	return strings.HasPrefix(path.Base(name), ".")
}

// relative turns a name relative to the root into one relative to the directory of the rules.
func (g *Folder) relative(name string) string {
	switch {
	case g.above != "":
		return g.above + "/" + name
	case g.dir == ".":
		return name
	}
	return strings.TrimPrefix(name, g.dir+"/")
}

func (r rule) matches(name string, isDir bool) bool {
	if r.dirOnly && !isDir {
		return false
	}
	if r.base {
		name = path.Base(name)
	}
	return r.match.MatchString(name)
}

// Rules are patterns that stand in no ignore file.
type Rules []rule

// ReadRules reads patterns, each as a line of an ignore file has it. What is no pattern matches nothing.
func ReadRules(lines []string) (rules Rules) {
	for _, line := range lines {
		if r, ok := parseLine(line); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

// Match reports whether a pattern matches a file or directory.
func (rules Rules) Match(name string, isDir bool) bool {
	return slices.ContainsFunc(rules, func(r rule) bool { return r.matches(name, isDir) })
}

func parse(text string) []rule {
	var rules []rule
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		if r, ok := parseLine(strings.TrimRight(line, "\r\n")); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

func parseLine(line string) (r rule, ok bool) {
	for strings.HasSuffix(line, " ") && !strings.HasSuffix(line, `\ `) {
		line = line[:len(line)-1]
	}
	if line == "" || line[0] == '#' {
		return r, false
	}
	line, r.negate = strings.CutPrefix(line, "!")
	line, r.dirOnly = strings.CutSuffix(line, "/")
	r.base = !strings.Contains(line, "/")
	expr, err := pattern.Regexp(strings.TrimPrefix(line, "/"), pattern.Filenames|pattern.EntireString|pattern.GlobLeadingDot)
	if err != nil {
		return r, false // git, too, lets a pattern that it cannot read match nothing
	}
	if strings.HasSuffix(line, "/**") {
		expr = strings.TrimSuffix(expr, ".*$") + ".+$" // what is inside, not the directory itself
	}
	r.match, err = regexp.Compile(expr)
	return r, err == nil && line != ""
}

// Outer reads the ignore files from the top of the git repository that root is part of down to root's parent. A
// root that is no part of one has none.
func Outer(root string) *Folder {
	var dirs []string
	for dir := root; ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
		dirs = append(dirs, filepath.Dir(dir))
	}
	var g *Folder
	for i := len(dirs) - 1; i >= 0; i-- {
		above := strings.Trim(strings.TrimPrefix(root, dirs[i]), string(filepath.Separator))
		entries, _ := os.ReadDir(dirs[i])
		if here := g.In("", dirs[i], entries); here != g {
			here.above = filepath.ToSlash(above)
			g = here
		}
	}
	return g
}
