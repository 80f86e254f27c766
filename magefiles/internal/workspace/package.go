package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/named"
	"github.com/foopack/foopack/magefiles/internal/workspace/versionfile"
)

// condaForm is that of the name of a conda package. It is a part of file names.
var condaForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)

// readPackage reads a [package] and the pyproject.toml that belongs to it.
func (l *loader) readPackage(f *folder) *Package {
	s := f.manifest
	pkg := s.Pixi.Get("package")
	p := &Package{Dir: f.dir, Manifest: s.Path, Pos: s.Pos(pkg), Build: s.ReadBuild()}
	p.SourceDir = f.dir
	switch src := p.Build.Source; {
	case src.Git != "" || src.URL != "":
		p.SourceDir = ""
	case src.Path != "":
		if p.SourceDir = src.Target(); strings.HasPrefix(p.SourceDir, "..") {
			p.SourceDir = "" // outside of the workspace
		}
	}
	project := l.packageProject(f, p)
	if project != nil {
		p.Pyproject, p.Project = project.Path, l.project(project)
		p.PyPIName = p.Project.Name
	}
	p.outside = named.Outside(l.found.root, project)
	p.Publish = s.Bool(pkg.Get("publish"))
	if p.Name = l.packageName(s, p); p.Name != "" && !condaForm.MatchString(p.Name) {
		s.FailAt(p.Pos, "name it with letters, digits and - _ . alone", "a package cannot be called %q: conda knows no such name", p.Name)
	}
	p.Version, p.Versions = l.packageVersion(s, p)
	if t := p.Version.Text; strings.HasPrefix(t, "-") || strings.ContainsFunc(t, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }) {
		s.FailAt(p.Version.Pos, "correct it: 1.2.3", "a version cannot be %q: it is a part of a file's name", t)
	}
	l.readRecipe(s, p)
	l.readLiterals(p)
	l.readCopies(p, project)
	l.readEnvVersions(s, p)
	p.Metadata = s.ReadMetadata(pkg, l.manifest.Metadata)
	p.named, p.inherits, p.inherited = named.Files(s, project, p.Metadata), manifest.InheritsIn(pkg), manifest.InheritedIn(pkg)
	p.Deps = s.ReadDependencies()
	for i := range p.Deps {
		if p.Deps[i].Spec.Workspace {
			s.Inherit(&p.Deps[i], l.pool)
		}
	}
	if p.Build.Spec.Workspace {
		backend := manifest.Dependency{Pos: p.Build.Pos, Name: p.Build.Backend, Spec: p.Build.Spec}
		s.Inherit(&backend, l.pool)
		p.Build.Spec = backend.Spec
	}
	l.keep(s, project)
	return p
}

// packageProject finds the pyproject.toml of a package: the manifest itself, the one beside it, or the one where the
// sources are. pixi-build-python cannot do without, unless told so.
func (l *loader) packageProject(f *folder, p *Package) *manifest.File {
	if p.SourceDir == f.dir || p.SourceDir == "" {
		if f.pyproject == nil && p.SourceDir != "" {
			l.missingProject(f, p)
		}
		return f.pyproject
	}
	file := path.Join(p.SourceDir, manifest.PyprojectFile)
	s, err := l.open(file)
	switch {
	case err != nil:
		l.problems = append(l.problems, err)
	case s == nil:
		l.missingProject(f, p)
	}
	return s
}

func (l *loader) missingProject(f *folder, p *Package) {
	if p.Build.Backend == manifest.PythonBackend && !p.Build.Python.IgnorePyproject {
		f.manifest.FailAt(p.Build.Pos, "add the file, or set `config.ignore-pyproject-manifest = true` if the package is to do without",
			"%s needs %s, which is not there", manifest.PythonBackend, path.Join(p.SourceDir, manifest.PyprojectFile))
	}
}

// open returns a TOML file of the workspace that the walk may have passed by; nil when it is not there.
func (l *loader) open(file string) (*manifest.File, error) {
	abs, err := filepath.EvalSymlinks(filepath.Join(l.found.root, filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !inside(l.found.root, abs) {
		err = operr.New("put the file itself there", "%s is a link out of the workspace, and no file elsewhere is read in its place", file)
	}
	if err != nil {
		return nil, err
	}
	doc, err := l.found.parse(abs, false)
	if err != nil {
		return nil, err
	}
	return manifest.NewFile(doc, path.Dir(file), path.Base(file) == manifest.PyprojectFile), nil
}

// text reads a file that is no TOML, which has to be in the workspace, and keeps it for Workspace.Texts. An edit of it has
// to find the file itself, so the name that is kept, and returned, is the one behind symlinks.
func (l *loader) text(name string) (real string, src []byte, err error) {
	abs, err := filepath.EvalSymlinks(filepath.Join(l.found.root, filepath.FromSlash(name)))
	if err != nil {
		return "", nil, err
	}
	if !inside(l.found.root, abs) {
		return "", nil, fmt.Errorf("%s is a link out of the workspace", name)
	}
	return l.read(l.found.relative(abs))
}

// read is text for a name without symlinks.
func (l *loader) read(real string) (string, []byte, error) {
	if src, ok := l.texts[real]; ok {
		return real, src, nil
	}
	src, err := readFile(filepath.Join(l.found.root, filepath.FromSlash(real)))
	if err == nil {
		l.texts[real] = src
	}
	return real, src, err
}

// project reads a pyproject.toml once, however many packages take it.
func (l *loader) project(s *manifest.File) *manifest.Project {
	p := l.projects[s.Path]
	if p == nil {
		p = s.ReadProject()
		p.Version = versionfile.OfProject(s, p, l.text)
		l.projects[s.Path] = p
	}
	return p
}

// takesProject reports whether name and version come from the pyproject.toml where [package] has none.
func (p *Package) takesProject() bool {
	return p.Manifest == p.Pyproject || p.Build.Backend == manifest.PythonBackend && !p.Build.Python.IgnorePyproject
}

// packageName returns the conda name: [package] name, the workspace's, the pyproject's, or, where the backend has it in a
// file of its own, the folder's.
func (l *loader) packageName(s *manifest.File, p *Package) string {
	n := s.Pixi.Get("package", "name")
	switch {
	case n != nil && s.Inherits(n):
		if l.manifest.Name == "" {
			s.Fail(n, "add `name` to the workspace's manifest, or write it here", "the name is inherited, but the workspace defines none")
		}
		return manifest.CondaName(l.manifest.Name)
	case n != nil:
		return manifest.CondaName(s.Str(n))
	case p.takesProject() && p.PyPIName != "":
		return manifest.CondaName(p.PyPIName)
	case p.Build.Backend == manifest.PythonBackend:
		s.FailAt(p.Pos, "add `name` to [package], or to [project] of its pyproject.toml", "the package has no name")
	}
	return manifest.CondaName(path.Base(path.Join(filepath.ToSlash(l.found.root), p.Dir)))
}
