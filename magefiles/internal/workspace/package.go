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

// condaForm matches conda package names. They are also parts of file names.
var condaForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)

// readPackage reads a [package] table and the package's pyproject.toml.
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
			p.SourceDir = "" // outside the workspace
		}
	}
	project := l.packageProject(f, p)
	if project != nil {
		p.Pyproject, p.Project = project.Path, l.project(project)
		p.PyPIName = p.Project.Name
	}
	p.outside = named.FindOutside(l.found.root, project)
	p.Publish = s.Bool(pkg.Get("publish"))
	if p.Name = l.packageName(s, p); p.Name != "" && !condaForm.MatchString(p.Name) {
		s.FailAt(p.Pos, "write only letters, digits and - _ .", "a package cannot be called %q: conda does not allow this name", p.Name)
	}
	p.Version, p.Versions = l.packageVersion(s, p)
	if t := p.Version.Text; strings.HasPrefix(t, "-") || strings.ContainsFunc(t, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }) {
		s.FailAt(p.Version.Pos, "write a version such as 1.2.3", "a version cannot be %q: the version is a part of a file's name", t)
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

// packageProject finds the pyproject.toml of a package: the manifest itself, or a file next to the manifest or in the source folder.
// pixi-build-python requires the file unless its configuration disables that.
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
		f.manifest.FailAt(p.Build.Pos, "add the file, or set `config.ignore-pyproject-manifest = true` if the package does not need the file",
			"%s needs %s, which does not exist", manifest.PythonBackend, path.Join(p.SourceDir, manifest.PyprojectFile))
	}
}

// `open` parses a TOML file in the workspace, even if the walk did not visit it. It returns nil if the file does not exist.
func (l *loader) open(file string) (*manifest.File, error) {
	abs, err := filepath.EvalSymlinks(filepath.Join(l.found.root, filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !inside(l.found.root, abs) {
		err = operr.New("replace the link by the file", "cannot read %s, because it is a link to a file outside of the workspace", file)
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

// text reads a non-TOML file in the workspace and records it for Workspace.Texts. The recorded and returned name has symlinks resolved,
// so that an edit changes the file and not the link.
func (l *loader) text(name string) (real string, src []byte, err error) {
	abs, err := filepath.EvalSymlinks(filepath.Join(l.found.root, filepath.FromSlash(name)))
	if err != nil {
		return "", nil, err
	}
	if !inside(l.found.root, abs) {
		return "", nil, fmt.Errorf("%s is a link that leads out of the workspace", name)
	}
	return l.read(l.found.relative(abs))
}

// read is like text, for a path without symlinks.
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

// project reads a pyproject.toml, and caches it because several packages can use the same file.
func (l *loader) project(s *manifest.File) *manifest.Project {
	p := l.projects[s.Path]
	if p == nil {
		p = s.ReadProject()
		p.Version = versionfile.OfProject(s, p, l.text)
		l.projects[s.Path] = p
	}
	return p
}

// takesProject reports whether the name and version are taken from pyproject.toml if [package] does not have them.
func (p *Package) takesProject() bool {
	return p.Manifest == p.Pyproject || p.Build.Backend == manifest.PythonBackend && !p.Build.Python.IgnorePyproject
}

// packageName returns the package's conda name. It is the name in [package], or the one inherited from [workspace], or the one in
// pyproject.toml. For backends that read the name from another file, it is the folder name.
func (l *loader) packageName(s *manifest.File, p *Package) string {
	n := s.Pixi.Get("package", "name")
	switch {
	case n != nil && s.Inherits(n):
		if l.manifest.Name == "" {
			s.Fail(n, "add `name` to the workspace's manifest, or write the name here", "the name is inherited, but the workspace has no name")
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
