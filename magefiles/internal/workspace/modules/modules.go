// Package modules knows the Python files of a repository by their names: which of them may hold the version of a package, and which its
// wheel may contain (modules.go). It reads none of them.
package modules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace/ignore"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Modules are the Python files that a walk came by.
type Modules struct {
	dirs  map[string]files    // by folder, relative to the root
	below map[string][]string // of those the ones right below a folder, made when asked for
}

// files are the Python files of one folder.
type files struct {
	real    string // the folder's path without symlinks, relative to the root
	names   []string
	links   []string // those of them that are symlinks
	ignores *ignore.Folder
}

// versionFiles are the files of a package's module in which people write its version.
var versionFiles = []string{"__init__.py", "__main__.py", "_version.py", "version.py", "__version__.py", "_about.py", "__about__.py", "about.py"}

// ForVersions reports whether a file of a module is there for its version alone.
func ForVersions(file string) bool {
	return !strings.HasPrefix(path.Base(file), "__init__.") && !strings.HasPrefix(path.Base(file), "__main__.") && slices.Contains(versionFiles, path.Base(file))
}

// vendored are the folders of a module in which others' code lies, with versions of its own.
var vendored = []string{"_vendor", "vendor", "_vendored", "vendored", "vendors", "third_party", "thirdparty", "extern", "_extern", "externals", "node_modules"}

// Keep remembers a folder's Python files; which of them matter is known when the packages are. real is its path without symlinks.
func (m *Modules) Keep(dir, real string, entries []fs.DirEntry, here *ignore.Folder) {
	kept := files{real: real, ignores: here}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".py") || e.IsDir() {
			continue
		}
		kept.names = append(kept.names, name)
		if !e.Type().IsRegular() {
			kept.links = append(kept.links, name)
		}
	}
	if kept.names == nil {
		return
	}
	if m.dirs == nil {
		m.dirs = map[string]files{}
	}
	m.dirs[dir] = kept
}

// Has reports whether the walk came by a file.
func (m *Modules) Has(file string) bool {
	return slices.Contains(m.dirs[path.Dir(file)].names, path.Base(file))
}

// Real is the path of a file by its folder's without symlinks, and whether the file itself is one.
func (m *Modules) Real(file string) (real string, isLink bool) {
	in := m.dirs[path.Dir(file)]
	return path.Join(in.real, path.Base(file)), slices.Contains(in.links, path.Base(file))
}

// Sources say where a package's sources are, and how it is called.
type Sources struct {
	Dir   string    // relative to the root
	Names [2]string // on PyPI and in conda, in the form in which PyPI compares names
}

// OfVersion returns the files that may hold a package's version: those of the module that is named like the package, below its
// sources, or of the only one in src/.
func (m *Modules) OfVersion(s Sources) []string {
	var found, tops []string
	for _, base := range []string{path.Join(s.Dir, "src"), path.Join(s.Dir, "python"), s.Dir} {
		for _, dir := range m.moduleDirs(base, s.Names[0]) {
			found = append(found, m.versionFilesIn(dir)...)
		}
		if in, ok := m.dirs[base]; ok {
			for _, name := range in.names { // a module of one file
				if slices.Contains(s.Names[:], manifest.PyPIName(strings.TrimSuffix(name, ".py"))) && !in.ignores.Ignores(path.Join(base, name), false) {
					found = append(found, path.Join(base, name))
				}
			}
		}
	}
	if len(found) == 0 {
		for _, dir := range m.children(path.Join(s.Dir, "src")) {
			if slices.Contains(m.dirs[dir].names, "__init__.py") {
				tops = append(tops, dir)
			}
		}
		if len(tops) == 1 {
			found = m.versionFilesIn(tops[0])
		}
	}
	return found
}

// Packed returns all Python files that a package's wheel may contain, beside those of known: the modules with all that is below
// them, and all that is in src/ and python/.
func (m *Modules) Packed(s Sources, known []string) (found []string) {
	seen := map[string]bool{}
	var in func(dir string)
	in = func(dir string) {
		if seen[dir] || slices.Contains(vendored, path.Base(dir)) {
			return
		}
		seen[dir] = true
		here := m.dirs[dir]
		for _, name := range here.names {
			if file := path.Join(dir, name); !slices.Contains(known, file) && !here.ignores.Ignores(file, false) {
				found = append(found, file)
			}
		}
		for _, below := range m.children(dir) {
			in(below)
		}
	}
	src, python := path.Join(s.Dir, "src"), path.Join(s.Dir, "python")
	for _, base := range []string{src, python, s.Dir} {
		for _, dir := range m.moduleDirs(base, s.Names[0]) {
			in(dir)
		}
	}
	if len(seen) == 0 && len(known) == 0 {
		return nil // strangers alone
	}
	for _, base := range []string{src, python} {
		for _, dir := range m.children(base) {
			in(dir)
		}
	}
	return found
}

// moduleDirs returns the directories below base that a module of a name may be: acme_core, acme.core and acme/core for
// acme-core.
func (m *Modules) moduleDirs(base, name string) []string {
	var out []string
	flat := path.Join(base, strings.ReplaceAll(name, "-", "_"))
	nested := path.Join(base, strings.ReplaceAll(name, "-", "/"))
	for _, dir := range []string{flat, nested} {
		if _, ok := m.dirs[dir]; ok && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, dir := range m.children(base) {
		if manifest.PyPIName(path.Base(dir)) == name {
			out = append(out, dir)
		}
	}
	return out
}

// children returns the directories with Python files right below a directory, by name.
func (m *Modules) children(dir string) []string {
	if m.below == nil {
		m.below = map[string][]string{}
		for d := range m.dirs {
			m.below[path.Dir(d)] = append(m.below[path.Dir(d)], d)
		}
		for _, dirs := range m.below {
			slices.Sort(dirs)
		}
	}
	return m.below[dir]
}

func (m *Modules) versionFilesIn(dir string) []string {
	here := m.dirs[dir]
	var out []string
	for _, name := range here.names {
		if slices.Contains(versionFiles, name) && !here.ignores.Ignores(path.Join(dir, name), false) {
			out = append(out, path.Join(dir, name))
		}
	}
	return out
}
