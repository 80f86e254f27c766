// Package ignore matches files and folders against .gitignore and .ignore files (ignore.go).
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

// ignoreFiles lists the ignore files, in order of precedence. As in pixi, they apply even without a git repository, and files outside
// the work tree (global excludes, .git/info/exclude) are not used.
var ignoreFiles = [...]string{".ignore", ".gitignore"}

// rule is one line of an ignore file (gitignore(5)). The pattern is translated to a regular expression by mvdan.cc/sh, because none of
// the gitignore packages that we found handles negated classes and patterns that require backtracking. It differs from `git
// check-ignore` only for a bracket left open across a slash ("[/[ab]"), which git treats as a class.
type rule struct {
	match   *regexp.Regexp
	base    bool // the pattern has no slash and is matched against the last path element only
	negate  bool
	dirOnly bool
}

// Folder holds the rules that apply in one directory: those in its own ignore files, and its parents' rules.
type Folder struct {
	parent *Folder
	dir    string // relative to the workspace root; "." for the root itself
	above  string // for a directory above the root: path from there to the root; otherwise ""
	rules  [len(ignoreFiles)][]rule
}

// In returns the rules for a subdirectory, including those in ignore files among its entries.
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
			continue // reading a device or a pipe might never end
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

// Ignores reports whether a file or directory is excluded. Hidden files are excluded unless a rule includes them.
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

// relative converts a name relative to the root to one relative to the directory of the rules.
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

// Rules are patterns that do not come from an ignore file.
type Rules []rule

// ReadRules parses patterns in the syntax of ignore files. Invalid patterns match nothing.
func ReadRules(lines []string) (rules Rules) {
	for _, line := range lines {
		if r, ok := parseLine(line); ok {
			rules = append(rules, r)
		}
	}
	return rules
}

// Match reports whether any pattern matches a file or directory.
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
		return r, false // as in git, an invalid pattern matches nothing
	}
	if strings.HasSuffix(line, "/**") {
		expr = strings.TrimSuffix(expr, ".*$") + ".+$" // matches the files inside, not the directory itself
	}
	r.match, err = regexp.Compile(expr)
	return r, err == nil && line != ""
}

// Outer reads the ignore files from the top of the git repository that contains root down to root's parent. It returns nil if root is
// not in a repository.
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
