package sources

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

// speaksOfAbsence is what builders say of a file, a folder or a module that they do not find.
var speaksOfAbsence = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)no such file|(not|none|no [^:'\"]{1,40}) found|notfound|not there|not exist|n't exist|no module named|cannot import name|(cannot|could not|couldn't|can't|unable to) (be )?(find|found|open|locate|read)|missing|no files? match|is not a (file|directory)`)
})

// moduleOfPackage is what Python says of a module that it does not find in a package which is there.
var moduleOfPackage = regexp.MustCompile(`cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'`)

var (
	quoted = regexp.MustCompile(`'([^']+)'|"([^"]+)"|` + "`([^`]+)`" + `|‘([^’]+)’`)
	word   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[\p{L}\p{N}_./+@~-]+`) })
)

// absences are the names, of files or modules, in the lines of a text that speak of something that is not there, or in the two
// lines below.
func absences(text string) (names []string) {
	lines := strings.Split(moduleOfPackage.ReplaceAllString(text, "no module named '$2.$1'"), "\n")
	for i, line := range lines {
		if !speaksOfAbsence().MatchString(line) {
			continue
		}
		for _, near := range lines[i:min(len(lines), i+3)] {
			names = append(names, namesIn(near)...)
		}
	}
	return names
}

// namesIn are the names in a line: what is quoted, what looks like a path, and the last word.
func namesIn(line string) (names []string) {
	for _, m := range quoted.FindAllStringSubmatch(line, -1) {
		names = append(names, strings.Join(m[1:], ""))
	}
	words := word().FindAllString(line, -1)
	for i, w := range words {
		w = strings.TrimRight(w, ".")
		if i == len(words)-1 || strings.ContainsAny(w, "./") {
			names = append(names, w)
		}
	}
	return names
}

// isNamed reports whether one of the names is that of a file or a folder, given by its full path: the path or an end of it, or the
// name of a Python module.
func isNamed(file string, names []string) bool {
	module := asModule(file)
	for _, name := range names {
		name = path.Clean(name)
		for strings.HasPrefix(name, "../") {
			name = strings.TrimPrefix(name, "../")
		}
		if name == "." || name == "/" || name == ".." {
			continue
		}
		if file == name || strings.HasSuffix(file, "/"+name) || module != "" && strings.HasSuffix(module, "."+name) {
			return true
		}
	}
	return false
}

var moduleFile = regexp.MustCompile(`^(\w+)(\.[\w-]+)?\.(py|so|pyd)$`)

// asModule is the path of a Python module with dots: from the outermost folder, since it is not known which one Python begins in.
func asModule(file string) string {
	m := moduleFile.FindStringSubmatch(path.Base(file))
	switch {
	case m == nil:
		return ""
	case m[1] == "__init__":
		return strings.ReplaceAll(path.Dir(file), "/", ".")
	}
	return strings.ReplaceAll(path.Join(path.Dir(file), m[1]), "/", ".")
}
