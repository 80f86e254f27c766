package workspace

import (
	"bytes"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/version"
)

// modules are the Python files of one directory.
type modules struct {
	real    string // the directory's path without symlinks, relative to the root
	files   []string
	links   []string // those of them that are symlinks
	ignores *ignores
}

// versionFiles are the files of a package's module in which people write its version.
var versionFiles = []string{"__init__.py", "_version.py", "version.py", "__version__.py", "_about.py", "__about__.py", "about.py"}

// keepModules remembers a directory's Python files; which of them matter is known when the packages are.
func (f *finder) keepModules(dir, real string, entries []fs.DirEntry, here *ignores) {
	m := modules{real: f.relative(real), ignores: here}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".py") || e.IsDir() {
			continue
		}
		m.files = append(m.files, name)
		if !e.Type().IsRegular() {
			m.links = append(m.links, name)
		}
	}
	if m.files != nil {
		f.python[dir] = m
	}
}

// readLiterals adds the copies of the version that stand in the package's own module as __version__ = "…". A tool that
// computes the version from tags also writes such files, or leaves a placeholder there: then only a copy of the
// package's static version is one.
func (l *loader) readLiterals(p *Package) {
	if p.SourceDir == "" || p.Version.Text == "" {
		return
	}
	computed := slices.ContainsFunc(p.Versions, func(v Version) bool { return v.Source == VersionTag })
	for _, file := range l.found.moduleFiles(p) {
		real, src, err := l.moduleText(file)
		if err != nil {
			continue // a file that may not be read cannot be a copy that anyone keeps
		}
		if slices.ContainsFunc(p.Versions, func(v Version) bool { return v.Pos.File == real }) {
			continue
		}
		start, end, ok := literalVersion(src)
		if !ok || computed && string(src[start:end]) != p.Version.Text {
			delete(l.texts, real)
			continue
		}
		p.Versions = append(p.Versions, textVersion(real, src, start, end, VersionLiteral, ""))
	}
}

// moduleText is text for a file that the walk came by: only of a symlink is asked where it leads.
func (l *loader) moduleText(file string) (real string, src []byte, err error) {
	m := l.found.python[path.Dir(file)]
	if slices.Contains(m.links, path.Base(file)) {
		return l.text(file)
	}
	return l.read(path.Join(m.real, path.Base(file)))
}

// moduleFiles returns the files that may hold a package's version: those of the module that is named like the package,
// below its sources, or of the only one in src/.
func (f *finder) moduleFiles(p *Package) []string {
	names := []string{PyPIName(first(p.PyPIName, p.Name)), PyPIName(p.Name)}
	var files, tops []string
	for _, base := range []string{path.Join(p.SourceDir, "src"), path.Join(p.SourceDir, "python"), p.SourceDir} {
		for _, dir := range f.moduleDirs(base, names[0]) {
			files = append(files, f.versionFilesIn(dir)...)
		}
		if m, ok := f.python[base]; ok {
			for _, name := range m.files { // a module of one file
				if slices.Contains(names, PyPIName(strings.TrimSuffix(name, ".py"))) && !m.ignores.ignored(path.Join(base, name), false) {
					files = append(files, path.Join(base, name))
				}
			}
		}
	}
	if len(files) == 0 {
		for _, dir := range f.children(path.Join(p.SourceDir, "src")) {
			if slices.Contains(f.python[dir].files, "__init__.py") {
				tops = append(tops, dir)
			}
		}
		if len(tops) == 1 {
			files = f.versionFilesIn(tops[0])
		}
	}
	return files
}

// moduleDirs returns the directories below base that a module of a name may be: acme_core, acme.core and acme/core for
// acme-core.
func (f *finder) moduleDirs(base, name string) []string {
	var out []string
	flat := path.Join(base, strings.ReplaceAll(name, "-", "_"))
	nested := path.Join(base, strings.ReplaceAll(name, "-", "/"))
	for _, dir := range []string{flat, nested} {
		if _, ok := f.python[dir]; ok && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, dir := range f.children(base) {
		if PyPIName(path.Base(dir)) == name {
			out = append(out, dir)
		}
	}
	return out
}

// children returns the directories with Python files right below a directory, by name.
func (f *finder) children(dir string) []string {
	if f.below == nil {
		f.below = map[string][]string{}
		for d := range f.python {
			f.below[path.Dir(d)] = append(f.below[path.Dir(d)], d)
		}
	}
	return slices.Sorted(slices.Values(f.below[dir]))
}

func (f *finder) versionFilesIn(dir string) []string {
	m := f.python[dir]
	var out []string
	for _, name := range m.files {
		if slices.Contains(versionFiles, name) && !m.ignores.ignored(path.Join(dir, name), false) {
			out = append(out, path.Join(dir, name))
		}
	}
	return out
}

var literalPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^__version__(?:[ \t]*:[ \t]*[A-Za-z_.]+)?[ \t]*=[ \t]*(?:"([^"\\\n]*)"|'([^'\\\n]*)')[ \t]*(?:[;#\r\n]|$)`)
})

// literalVersion finds __version__ = "…" at the beginning of a line, outside of strings and brackets. A file that assigns
// it more than once, or something that is no version, has none.
func literalVersion(src []byte) (start, end int, ok bool) {
	if !bytes.Contains(src, []byte("__version__")) {
		return 0, 0, false
	}
	found := 0
	for i := range statements(src) {
		if !bytes.HasPrefix(src[i:], []byte("__version__")) {
			continue
		}
		found++
		if m := literalPattern().FindSubmatchIndex(src[i:]); m != nil {
			start, end, ok = i+max(m[2], m[4]), i+max(m[3], m[5]), true
		}
	}
	if !ok || found != 1 {
		return 0, 0, false
	}
	text := string(src[start:end])
	_, err := version.Parse(text)
	return start, end, err == nil || version.Suggest(text) != ""
}

// statements yields the offsets of the lines of a Python file that begin outside of strings and brackets.
func statements(src []byte) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		depth, shift := 0, len(src)
		src := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
		shift -= len(src)
		for i := 0; i < len(src); {
			if depth == 0 && (i == 0 || src[i-1] == '\n') && !yield(shift+i) {
				return
			}
			switch c := src[i]; c {
			case '#':
				i += lineLength(src[i:])
				continue
			case '"', '\'':
				i += stringLength(src[i:])
				continue
			case '(', '[', '{':
				depth++
			case ')', ']', '}':
				depth = max(0, depth-1)
			case '\\':
				i++
			}
			i++
		}
	}
}

func lineLength(src []byte) int {
	if n := bytes.IndexByte(src, '\n'); n >= 0 {
		return n
	}
	return len(src)
}

// stringLength is the length of the string that src begins with, quotes included.
func stringLength(src []byte) int {
	quote := src[:1]
	if len(src) >= 3 && src[1] == src[0] && src[2] == src[0] {
		quote = src[:3]
	}
	for i := len(quote); i < len(src); i++ {
		switch {
		case src[i] == '\\':
			i++
		case bytes.HasPrefix(src[i:], quote):
			return i + len(quote)
		case src[i] == '\n' && len(quote) == 1:
			return i // an error in Python
		}
	}
	return len(src)
}
