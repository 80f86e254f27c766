package workspace

import (
	"io/fs"
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/ignore"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
	"github.com/foopack/foopack/magefiles/internal/workspace/versionfile"
)

// Backends that read a Cargo.toml.
const (
	rustBackend    = "pixi-build-rust"
	maturinBackend = "maturin"
)

// copyFiles lists the files of other tools that can contain a copy of a package's version.
var copyFiles = []string{versionfile.MesonFile, versionfile.CitationFile, versionfile.CargoFile, versionfile.CargoLock, versionfile.UVLock}

// keepCopies records the recipes in a directory, and files of other tools that may contain a copy of a version.
func (f *finder) keepCopies(dir string, entries []fs.DirEntry, here *ignore.Folder) {
	for _, e := range entries {
		if (e.Name() == manifest.RecipeFile || e.Name() == "meta.yaml") && !here.Ignores(path.Join(dir, e.Name()), false) {
			f.recipes = append(f.recipes, path.Join(dir, e.Name()))
		}
		if slices.Contains(copyFiles, e.Name()) && !e.IsDir() && !here.Ignores(path.Join(dir, e.Name()), false) {
			if f.copies == nil {
				f.copies = map[string]bool{}
			}
			f.copies[path.Join(dir, e.Name())] = true
		}
	}
}

// `filesAbove` returns the files called name in dir and in its parent directories, up to the root.
func (f *finder) filesAbove(dir, name string) (files []string) {
	for ; ; dir = path.Dir(dir) {
		if file := path.Join(dir, name); f.copies[file] {
			files = append(files, file)
		}
		if dir == "." || dir == "/" || path.Base(dir) == ".." {
			return files
		}
	}
}

// readCopies finds copies of a package's version in files of other tools, both next to its manifest and in its source folder.
func (l *loader) readCopies(p *Package, project *manifest.File) {
	if len(l.found.copies) == 0 {
		return
	}
	dirs := []string{p.Dir}
	if p.SourceDir != "" && p.SourceDir != p.Dir {
		dirs = append(dirs, p.SourceDir)
	}
	crate := ""
	if project != nil {
		crate = project.Doc.Root.Get("tool", "maturin", "manifest-path").Text()
	}
	for _, dir := range dirs {
		l.readText(p, path.Join(dir, versionfile.MesonFile), versionfile.ReadMeson)
		l.readText(p, path.Join(dir, versionfile.CitationFile), versionfile.ReadCitation)
		if crate == "" {
			l.readCargo(p, path.Join(dir, versionfile.CargoFile))
		}
	}
	if crate != "" {
		l.readCargo(p, project.ResolvePath(crate))
	}
	if p.PyPIName != "" {
		l.readLocked(p, p.Dir, versionfile.UVLock, manifest.PyPIName(p.PyPIName))
	}
}

// readText adds the version found in a text file if it equals the package's version.
func (l *loader) readText(p *Package, file string, read func(string, []byte) (manifest.Version, bool)) {
	if !l.found.copies[file] || l.isVersionFile(p, file) {
		return
	}
	real, src, err := l.text(file)
	if err != nil {
		return
	}
	if v, ok := read(real, src); ok && version.Same(v.Text, p.Version.Text) {
		p.Versions = append(p.Versions, v)
	}
}

// readCargo adds the versions in a Cargo.toml and its Cargo.lock. If no other file gives a version, the crate's version is the
// package's version. If the crate has the package's name, or the package is built from the crate, the crate's version is a copy.
func (l *loader) readCargo(p *Package, file string) {
	if !l.found.copies[file] || l.isVersionFile(p, file) {
		return
	}
	s, err := l.open(file)
	if err != nil || s == nil {
		return // the file is broken, and Cargo reports the error
	}
	pkg := s.Doc.Root.Get("package")
	crate, n := pkg.Get("name").Text(), pkg.Get("version")
	if n.Get("workspace").True() {
		s, n = l.cargoWorkspace(path.Dir(file))
	}
	if !n.Is(tomledit.String) {
		return
	}
	v := manifest.Version{
		Text:   n.Text(),
		Source: manifest.VersionCopy,
		Detail: versionfile.CargoFile,
		Pos:    s.ValuePos(n),
		Node:   n,
		Cargo:  true,
	}
	built := p.Build.Backend == rustBackend || p.Project != nil && p.Project.BuildBackend == maturinBackend
	makes := slices.IndexFunc(p.Versions, func(v manifest.Version) bool {
		return v.Source == manifest.VersionBackend && p.Build.Backend == rustBackend || v.Source == manifest.VersionDynamic && built
	})
	switch {
	case makes == 0 && p.Version.Source == manifest.VersionBackend:
		p.Version, p.Versions[0] = v, v
	case makes > 0:
		p.Versions[makes] = v
	case (built || manifest.PyPIName(crate) == manifest.PyPIName(p.Name) || manifest.PyPIName(crate) == manifest.PyPIName(p.PyPIName)) && version.Same(v.Says(), p.Version.Text):
		p.Versions = append(p.Versions, v)
	default:
		return
	}
	l.readLocked(p, path.Dir(file), versionfile.CargoLock, manifest.PyPIName(crate))
}

// cargoWorkspace returns the version that members inherit from the nearest enclosing Cargo workspace.
func (l *loader) cargoWorkspace(dir string) (*manifest.File, *tomledit.Node) {
	for _, file := range l.found.filesAbove(dir, versionfile.CargoFile) {
		if s, err := l.open(file); err == nil && s != nil {
			if n := s.Doc.Root.Get("workspace", "package", "version"); n != nil {
				return s, n
			}
		}
	}
	return nil, nil
}

// readLocked looks up name in the nearest lock file and adds the versions that equal the package's version.
func (l *loader) readLocked(p *Package, dir, lock, name string) {
	files := l.found.filesAbove(dir, lock)
	if len(files) == 0 {
		return
	}
	if l.locks == nil {
		l.locks = map[string]map[string][]manifest.Version{}
	}
	file := files[0]
	by, read := l.locks[file]
	if !read {
		by = map[string][]manifest.Version{}
		l.locks[file] = by
		real, src, err := l.text(file)
		if err != nil {
			return
		}
		for _, of := range versionfile.ReadLock(real, src) {
			by[manifest.PyPIName(of.Name)] = append(by[manifest.PyPIName(of.Name)], of.Version)
		}
	}
	for _, v := range by[name] {
		if version.Same(v.Says(), p.Version.Says()) && !slices.ContainsFunc(p.Versions, func(have manifest.Version) bool { return have.Pos == v.Pos }) {
			p.Versions = append(p.Versions, v)
		}
	}
}

// HasText reports whether Load has read the file. A bump may edit only these files.
func (w *Workspace) HasText(file string) bool {
	return slices.ContainsFunc(w.Texts, func(t Text) bool { return t.Name == file }) || slices.ContainsFunc(w.Files, func(d *tomledit.Document) bool { return d.Name == file })
}

// readTogether finds copies of a version that all packages share: the version in [workspace], and the one in a CITATION.cff next to the
// root manifest.
func (l *loader) readTogether(w *Workspace, top *folder) {
	if w.Config.Versioning != settings.Lockstep && len(w.Packages) != 1 {
		return
	}
	var all []manifest.Version
	if n := l.root.VersionNode(); n != nil {
		all = append(all, manifest.Version{Text: n.Text(), Source: manifest.VersionWorkspace, Pos: l.root.ValuePos(n), Node: n})
	}
	if top.pyproject != nil {
		all = append(all, l.project(top.pyproject).Version)
	}
	if file := versionfile.CitationFile; l.found.copies[file] {
		if real, src, err := l.text(file); err == nil {
			if v, ok := versionfile.ReadCitation(real, src); ok {
				all = append(all, v)
			}
		}
	}
	for _, v := range all {
		if v.Text != "" && slices.ContainsFunc(w.Packages, func(p *Package) bool { return version.Same(v.Text, p.Version.Says()) }) {
			w.Copies = append(w.Copies, v)
		}
	}
}
