package versionfile

import (
	"bytes"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// literalName is the variable in which a module usually stores its version.
const literalName = "__version__"

// otherNames lists alternative variables, which count only in a file whose only purpose is the version.
var otherNames = []string{"VERSION", "version", "__VERSION__", "_VERSION", "_version", "__version"}

// FindLiteral returns the version that a Python file assigns to __version__, either as a literal or through another variable in the
// file.
func FindLiteral(file string, src []byte) (manifest.Version, bool) {
	return findNamed(file, src, literalName)
}

// FindOther returns the version in a file whose only purpose is the version, if it is assigned to another common name, such as VERSION.
func FindOther(file string, src []byte) (manifest.Version, bool) {
	for _, name := range otherNames {
		if v, ok := findNamed(file, src, name); ok {
			return v, true
		}
	}
	return manifest.Version{}, false
}

// FindImported is like FindLiteral, for the module and name returned by ImportedVersion.
func FindImported(file string, src []byte, name string) (manifest.Version, bool) {
	return findNamed(file, src, name)
}

func findNamed(file string, src []byte, name string) (manifest.Version, bool) {
	start, end, ok := literalVersion(src, name)
	if !ok {
		return manifest.Version{}, false
	}
	return textVersion(file, src, start, end, manifest.VersionLiteral, ""), true
}

// ImportedVersion returns the module from which a file imports its __version__, as written, and the name there: `from .const import
// VERSION`, with `as __version__` or `__version__ = VERSION`. It returns "" if there is none.
func ImportedVersion(src []byte) (module, name string) {
	if !bytes.Contains(src, []byte(literalName)) || !bytes.Contains(src, []byte("import")) {
		return "", ""
	}
	wanted := []string{literalName}
	for _, a := range assignments(src, literalName) {
		if a.name != "" {
			wanted = append(wanted, a.name)
		}
	}
	for line := range simpleStatements(src) {
		if len(line) < 4 || line[0].text != "from" {
			continue
		}
		at := slices.IndexFunc(line, func(w word) bool { return w.kind == nameWord && w.text == "import" })
		if at < 2 {
			continue
		}
		for i := at + 1; i < len(line); i++ {
			if line[i].kind != nameWord {
				continue
			}
			there, here := line[i].text, line[i].text
			if i+2 < len(line) && line[i+1].text == "as" {
				here = line[i+2].text
				i += 2
			}
			if slices.Contains(wanted, here) {
				for _, w := range line[1:at] {
					module += w.text
				}
				return module, there
			}
		}
	}
	return "", ""
}

// literalVersion finds the version that a file assigns to `name` in an unindented statement, ignoring strings and brackets. ok is
// false if name is assigned more than once, or if the value is not a version.
func literalVersion(src []byte, name string) (start, end int, ok bool) {
	for range 3 { // follow at most two references to other names
		if !bytes.Contains(src, []byte(name)) {
			return 0, 0, false
		}
		found := assignments(src, name)
		switch {
		case len(found) != 1:
			return 0, 0, false
		case found[0].name != "" && found[0].name != name:
			name = found[0].name
			continue
		case !found[0].plain:
			return 0, 0, false
		}
		start, end = found[0].start, found[0].end
		text := string(src[start:end])
		_, err := version.Parse(text)
		return start, end, err == nil || version.Suggest(text) != ""
	}
	return 0, 0, false
}

// assigned is the value of an assignment: a string literal (plain) from start to end, another name, or neither.
type assigned struct {
	plain      bool
	start, end int
	name       string
}

// assignments returns the values that unindented statements assign to `name`.
func assignments(src []byte, name string) (found []assigned) {
	for line := range simpleStatements(src) {
		if !slices.ContainsFunc(line, func(w word) bool { return w.kind == nameWord && w.text == name }) {
			continue
		}
		parts := split(line, "=")
		value := parts[len(parts)-1]
		for i, target := range parts[:len(parts)-1] {
			if i == 0 {
				target = split(target, ":")[0] // drop the annotation
			}
			names, values := split(unwrap(target), ","), [][]word{value}
			if len(names) > 1 {
				values = split(unwrap(value), ",")
			}
			for j, n := range names {
				if n = unwrap(n); len(n) != 1 || n[0].kind != nameWord || n[0].text != name {
					continue
				}
				if len(values) != len(names) {
					found = append(found, assigned{})
					continue
				}
				found = append(found, valueOf(values[j]))
			}
		}
	}
	return found
}

// wrappers lists functions that may wrap the version string.
var wrappers = []string{"str", "Version", "parse", "parse_version"}

// valueOf interprets the tokens after the last `=`.
func valueOf(value []word) assigned {
	value = unwrap(value)
	if len(value) > 3 && value[0].kind == nameWord && slices.Contains(wrappers, value[0].text) {
		if inner := unwrap(value[1:]); len(inner) == 1 {
			value = inner
		}
	}
	switch {
	case len(value) != 1:
	case value[0].kind == textWord:
		return assigned{plain: true, start: value[0].start, end: value[0].end}
	case value[0].kind == nameWord:
		return assigned{name: value[0].text}
	}
	return assigned{}
}

// split splits a statement at an operator, except inside brackets.
func split(line []word, at string) (parts [][]word) {
	depth, begin := 0, 0
	for i, w := range line {
		switch {
		case w.kind != signWord:
		case w.text == "(" || w.text == "[" || w.text == "{":
			depth++
		case w.text == ")" || w.text == "]" || w.text == "}":
			depth--
		case w.text == at && depth == 0:
			parts, begin = append(parts, line[begin:i]), i+1
		}
	}
	return append(parts, line[begin:])
}

// unwrap removes parentheses that enclose the whole value.
func unwrap(value []word) []word {
	for len(value) > 2 && value[0].text == "(" && value[0].kind == signWord && value[len(value)-1].text == ")" {
		depth, closed := 0, 0
		for i, w := range value {
			if w.kind == signWord && w.text == "(" {
				depth++
			} else if w.kind == signWord && w.text == ")" {
				if depth--; depth == 0 {
					closed = i
					break
				}
			}
		}
		if closed != len(value)-1 {
			return value
		}
		value = value[1 : len(value)-1]
	}
	return value
}
