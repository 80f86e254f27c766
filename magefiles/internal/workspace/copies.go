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

// The backends that read a Cargo.toml.
const (
	rustBackend    = "pixi-build-rust"
	maturinBackend = "maturin"
)

// copyFiles are files of other tools that have a copy of a version.
var copyFiles = []string{versionfile.MesonFile, versionfile.CitationFile, versionfile.CargoFile, versionfile.CargoLock, versionfile.UVLock}

// keepCopies remembers which files of other tools a directory has.
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

// above are the files of a name in a directory and in those above it, up to the root.
func (f *finder) above(dir, name string) (files []string) {
	for ; ; dir = path.Dir(dir) {
		if file := path.Join(dir, name); f.copies[file] {
			files = append(files, file)
		}
		if dir == "." || dir == "/" || path.Base(dir) == ".." {
			return files
		}
	}
}

// readCopies adds the copies of a package's version that stand in the files of other tools: beside its manifest, and where its sources are.
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

// readText adds the copy that a text has, if it is the package's version.
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

// readCargo adds the version of a Cargo.toml, and that of its Cargo.lock. It is the package's own where nothing else says one; it is a
// copy where the crate is called like the package, or made into it.
func (l *loader) readCargo(p *Package, file string) {
	if !l.found.copies[file] || l.isVersionFile(p, file) {
		return
	}
	s, err := l.open(file)
	if err != nil || s == nil {
		return // Cargo says what is wrong with it
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

// cargoWorkspace is the version that the Cargo.toml of a workspace gives its members: that of the nearest one above.
func (l *loader) cargoWorkspace(dir string) (*manifest.File, *tomledit.Node) {
	for _, file := range l.found.above(dir, versionfile.CargoFile) {
		if s, err := l.open(file); err == nil && s != nil {
			if n := s.Doc.Root.Get("workspace", "package", "version"); n != nil {
				return s, n
			}
		}
	}
	return nil, nil
}

// readLocked adds what the nearest lock of a name says of a package that is called so there.
func (l *loader) readLocked(p *Package, dir, lock, name string) {
	files := l.found.above(dir, lock)
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

// HasText reports whether a file was read that a bump may edit.
func (w *Workspace) HasText(file string) bool {
	return slices.ContainsFunc(w.Texts, func(t Text) bool { return t.Name == file }) || slices.ContainsFunc(w.Files, func(d *tomledit.Document) bool { return d.Name == file })
}

// readTogether finds the copies of the version that all packages have: of the workspace itself, and in a CITATION.cff beside its manifest.
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
