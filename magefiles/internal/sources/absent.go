package sources

import (
	"path"
	"regexp"
	"strings"
	"sync"
)

// speaksOfAbsence matches build messages about a file, folder or module that was not found.
var speaksOfAbsence = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)no such file|(not|none|no [^:'\"]{1,40}) found|notfound|not there|not exist|n't exist|no module named|cannot import name|(cannot|could not|couldn't|can't|unable to) (be )?(find|found|open|locate|read)|missing|no files? match|is not a (file|directory)`)
})

// moduleOfPackage matches Python's error for a missing module in a package that exists.
var moduleOfPackage = regexp.MustCompile(`cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'`)

var (
	quoted = regexp.MustCompile(`'([^']+)'|"([^"]+)"|` + "`([^`]+)`" + `|‘([^’]+)’`)
	word   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[\p{L}\p{N}_./+@~-]+`) })
)

// absences returns the names of files or modules in lines that report something missing, and in the two lines after each.
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

// namesIn returns the possible file names in a line: quoted strings, words that look like paths, and the last word.
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

// isNamed reports whether one of the names refers to the file or folder, as a full path, the end of a path, or a Python module.
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

// asModule converts a file path to a dotted module path. It starts at the outermost folder, because the actual import root is unknown.
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
