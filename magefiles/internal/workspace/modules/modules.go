// Package modules keeps track of the Python files in a repository: which ones may contain a package's version, and which ones its wheel
// may contain (modules.go). It uses only their names and does not read them.
package modules

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace/ignore"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Modules is the set of Python files that a walk has found.
type Modules struct {
	dirs  map[string]files    // keyed by folder, relative to the root
	below map[string][]string // the immediate subfolders that contain Python files; computed on first use
}

// `files` holds the Python files of one folder.
type files struct {
	real    string // the folder's path with symlinks resolved, relative to the root
	names   []string
	links   []string // the names of symlinks
	ignores *ignore.Folder
}

// versionFiles lists the files of a module in which a version is usually defined.
var versionFiles = []string{"__init__.py", "__main__.py", "_version.py", "version.py", "__version__.py", "_about.py", "__about__.py", "about.py"}

// ForVersions reports whether a file's only purpose is to define a module's version.
func ForVersions(file string) bool {
	return !strings.HasPrefix(path.Base(file), "__init__.") && !strings.HasPrefix(path.Base(file), "__main__.") && slices.Contains(versionFiles, path.Base(file))
}

// vendored lists folders that usually contain third-party code, which has other versions.
var vendored = []string{"_vendor", "vendor", "_vendored", "vendored", "vendors", "third_party", "thirdparty", "extern", "_extern", "externals", "node_modules"}

// Keep records the Python files in a folder. The walk calls it before the packages are known. `real` is the folder's path with
// symlinks resolved.
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

// Has reports whether the walk has found a file.
func (m *Modules) Has(file string) bool {
	return slices.Contains(m.dirs[path.Dir(file)].names, path.Base(file))
}

// Real returns the path of a file with its folder's symlinks resolved, and whether the file itself is a symlink.
func (m *Modules) Real(file string) (real string, isLink bool) {
	in := m.dirs[path.Dir(file)]
	return path.Join(in.real, path.Base(file)), slices.Contains(in.links, path.Base(file))
}

// Sources is a package's source folder and the package's names.
type Sources struct {
	Dir   string    // relative to the root
	Names [2]string // the PyPI name and the conda name, both normalized as on PyPI
}

// OfVersion returns the files that may contain a package's version: files in the module that has the package's name, or in the only
// module in src/.
func (m *Modules) OfVersion(s Sources) []string {
	var found, tops []string
	for _, base := range []string{path.Join(s.Dir, "src"), path.Join(s.Dir, "python"), s.Dir} {
		for _, dir := range m.moduleDirs(base, s.Names[0]) {
			found = append(found, m.versionFilesIn(dir)...)
		}
		if in, ok := m.dirs[base]; ok {
			for _, name := range in.names { // a single-file module
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

// ListPacked returns the Python files that the package's wheel may contain and that are not in `known`: those in the package's
// modules, and those below src/ and python/.
func (m *Modules) ListPacked(s Sources, known []string) (found []string) {
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
		return nil // no module has the package's name
	}
	for _, base := range []string{src, python} {
		for _, dir := range m.children(base) {
			in(dir)
		}
	}
	return found
}

// moduleDirs returns the directories below base that may be the module for a package name. For acme-core these are acme_core, acme.core
// and acme/core.
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

// children returns the immediate subdirectories that contain Python files, sorted by name.
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
