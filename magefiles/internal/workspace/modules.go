package workspace

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace/ignore"
)

// modules are the Python files of one directory.
type modules struct {
	real    string // the directory's path without symlinks, relative to the root
	files   []string
	links   []string // those of them that are symlinks
	ignores *ignore.Folder
}

// versionFiles are the files of a package's module in which people write its version.
var versionFiles = []string{"__init__.py", "__main__.py", "_version.py", "version.py", "__version__.py", "_about.py", "__about__.py", "about.py"}

// forVersions reports whether a file of a module is there for its version alone.
func forVersions(file string) bool {
	return !strings.HasPrefix(path.Base(file), "__init__.") && !strings.HasPrefix(path.Base(file), "__main__.") && slices.Contains(versionFiles, path.Base(file))
}

// vendored are the folders of a module in which others' code lies, with versions of its own.
var vendored = []string{"_vendor", "vendor", "_vendored", "vendored", "vendors", "third_party", "thirdparty", "extern", "_extern", "externals", "node_modules"}

// keepModules remembers a directory's Python files; which of them matter is known when the packages are.
func (f *finder) keepModules(dir, real string, entries []fs.DirEntry, here *ignore.Folder) {
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

// moduleFiles returns the files that may hold a package's version: those of the module that is named like the package,
// below its sources, or of the only one in src/.
func (f *finder) moduleFiles(p *Package) []string {
	names := []string{PyPIName(cmp.Or(p.PyPIName, p.Name)), PyPIName(p.Name)}
	var files, tops []string
	for _, base := range []string{path.Join(p.SourceDir, "src"), path.Join(p.SourceDir, "python"), p.SourceDir} {
		for _, dir := range f.moduleDirs(base, names[0]) {
			files = append(files, f.versionFilesIn(dir)...)
		}
		if m, ok := f.python[base]; ok {
			for _, name := range m.files { // a module of one file
				if slices.Contains(names, PyPIName(strings.TrimSuffix(name, ".py"))) && !m.ignores.Ignores(path.Join(base, name), false) {
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

// packedFiles returns all Python files that a package's wheel may contain, beside those of known: the modules with all that is below
// them, and all that is in src/ and python/.
func (f *finder) packedFiles(p *Package, known []string) (files []string) {
	seen := map[string]bool{}
	var in func(dir string)
	in = func(dir string) {
		if seen[dir] || slices.Contains(vendored, path.Base(dir)) {
			return
		}
		seen[dir] = true
		m := f.python[dir]
		for _, name := range m.files {
			if file := path.Join(dir, name); !slices.Contains(known, file) && !m.ignores.Ignores(file, false) {
				files = append(files, file)
			}
		}
		for _, below := range f.children(dir) {
			in(below)
		}
	}
	src, python := path.Join(p.SourceDir, "src"), path.Join(p.SourceDir, "python")
	for _, base := range []string{src, python, p.SourceDir} {
		for _, dir := range f.moduleDirs(base, PyPIName(cmp.Or(p.PyPIName, p.Name))) {
			in(dir)
		}
	}
	if len(seen) == 0 && len(known) == 0 {
		return nil // strangers alone
	}
	for _, base := range []string{src, python} {
		for _, dir := range f.children(base) {
			in(dir)
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
		for _, dirs := range f.below {
			slices.Sort(dirs)
		}
	}
	return f.below[dir]
}

func (f *finder) versionFilesIn(dir string) []string {
	m := f.python[dir]
	var out []string
	for _, name := range m.files {
		if slices.Contains(versionFiles, name) && !m.ignores.Ignores(path.Join(dir, name), false) {
			out = append(out, path.Join(dir, name))
		}
	}
	return out
}
