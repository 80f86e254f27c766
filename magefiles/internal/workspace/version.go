package workspace

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/modules"
	"github.com/foopack/foopack/magefiles/internal/workspace/versionfile"
)

// packageVersion finds the version of the conda package, and all places where the package's version is written
// (pixi-facts.md §1.1; PackageDefaults in crates/pixi_manifest/src/pyproject.rs).
func (l *loader) packageVersion(s *manifest.File, p *Package) (v manifest.Version, all []manifest.Version) {
	n := s.Pixi.Get("package", "version")
	project := p.Project
	if project != nil && (!p.takesProject() || project.Version.Source == manifest.VersionMissing) {
		project = nil
	}
	switch {
	case n != nil && s.Inherits(n):
		v = manifest.Version{Text: l.manifest.Version, Source: manifest.VersionWorkspace, Pos: l.manifest.VersionPos, Node: l.root.VersionNode()}
		if l.manifest.Version == "" {
			s.Fail(n, "add `version` to the workspace's manifest, or write it here", "the version is inherited, but the workspace defines none")
		}
	case n != nil:
		v = manifest.Version{Text: s.Str(n), Source: manifest.VersionPackage, Pos: s.ValuePos(n), Node: n}
	case project != nil:
		return project.Version, []manifest.Version{project.Version}
	case p.Build.Backend != manifest.PythonBackend:
		v = manifest.Version{Source: manifest.VersionBackend, Detail: p.Build.Backend, Pos: p.Pos}
	default:
		v = manifest.Version{Source: manifest.VersionMissing, Pos: p.Pos}
	}
	all = []manifest.Version{v}
	if p.Project != nil && p.Project.Version.Source != manifest.VersionMissing {
		all = append(all, p.Project.Version)
	}
	return v, all
}

// readRecipe finds the version of a package that is built from a recipe.yaml. The backend takes it from there, whatever
// [package] says, so that a version in the manifest is a copy.
func (l *loader) readRecipe(s *manifest.File, p *Package) {
	if p.Build.Backend != manifest.RecipeBackend || p.SourceDir == "" {
		return
	}
	real, src, err := l.text(path.Join(p.SourceDir, manifest.RecipeFile))
	if err != nil {
		return // it may be made while building; the version is then the backend's affair
	}
	r := versionfile.ReadRecipe(s, real, src)
	p.recipe, p.onePlatform = r.Dependencies, r.OnePlatform
	if r.Version == nil {
		return
	}
	all := []manifest.Version{*r.Version}
	for _, other := range p.Versions {
		if other.Source != manifest.VersionBackend && other.Source != manifest.VersionMissing {
			all = append(all, other)
		}
	}
	p.Version, p.Versions = *r.Version, all
}

// readLiterals adds the copies of the version that stand in the package's own modules as __version__ = "…". A tool that
// computes the version from tags also writes such files, or leaves a placeholder there: then only a copy of the
// package's static version is one. In all files but those in which people write the version, a text is a copy of it if it is the same.
func (l *loader) readLiterals(p *Package) {
	if p.SourceDir == "" || p.Version.Text == "" {
		return
	}
	s := modules.Sources{Dir: p.SourceDir, Names: [2]string{manifest.PyPIName(cmp.Or(p.PyPIName, p.Name)), manifest.PyPIName(p.Name)}}
	own := l.found.python.OfVersion(s)
	for _, file := range own {
		l.readLiteral(p, file, true)
	}
	for _, file := range l.found.python.Packed(s, own) {
		l.readLiteral(p, file, false)
	}
}

func (l *loader) readLiteral(p *Package, file string, own bool) {
	l.moduleText(file, func(real string, src []byte) bool {
		if l.isVersionFile(p, real) {
			return true
		}
		v, ok := versionfile.FindLiteral(real, src)
		if !ok && modules.ForVersions(file) {
			v, ok = versionfile.FindOther(real, src)
			own = false
		}
		if !ok {
			l.readImported(p, file, src)
		}
		return l.addLiteral(p, v, ok, own)
	})
}

// readImported adds the version that a file takes its __version__ from, where that is another file of the same folder.
func (l *loader) readImported(p *Package, file string, src []byte) {
	module, name := versionfile.ImportedVersion(src)
	other := path.Join(path.Dir(file), module[strings.LastIndexByte(module, '.')+1:]+".py")
	if module == "" || other == file || !l.found.python.Has(other) {
		return
	}
	l.moduleText(other, func(real string, src []byte) bool {
		if l.isVersionFile(p, real) {
			return true
		}
		v, ok := versionfile.FindImported(real, src, name)
		return l.addLiteral(p, v, ok, false)
	})
}

// isVersionFile reports whether it is known that a file has the version of a package.
func (l *loader) isVersionFile(p *Package, real string) bool {
	return slices.ContainsFunc(p.Versions, func(v manifest.Version) bool { return v.Pos.File == real })
}

// addLiteral adds a version that was found in a file, and reports whether it counts. any says that one counts that is not the package's.
func (l *loader) addLiteral(p *Package, v manifest.Version, found, any bool) bool {
	computed := slices.ContainsFunc(p.Versions, func(v manifest.Version) bool { return v.Source == manifest.VersionTag })
	if !found || computed && v.Text != p.Version.Text || !any && !version.Same(v.Text, p.Version.Text) {
		return false
	}
	p.Versions = append(p.Versions, v)
	return true
}

// moduleText is text for a file that the walk came by: only of a symlink is asked where it leads. It is kept where use reports that
// a version was found in it, or where it was read before.
func (l *loader) moduleText(file string, use func(real string, src []byte) bool) {
	real, isLink := l.found.python.Real(file)
	if isLink {
		abs, err := filepath.EvalSymlinks(filepath.Join(l.found.root, filepath.FromSlash(file)))
		if err != nil || !inside(l.found.root, abs) {
			return
		}
		real = l.found.relative(abs)
	}
	_, had := l.texts[real]
	_, src, err := l.read(real)
	if err != nil {
		return // a file that may not be read cannot be a copy that anyone keeps
	}
	if !use(real, src) && !had {
		delete(l.texts, real)
	}
}

// envVersion is a version that the environment of a build names.
type envVersion struct {
	versionfile.EnvVersion
	builds *Package // the package that the manifest is of
}

// readEnvVersions finds the versions in the `env` of [package.build.config], and of its platforms.
func (l *loader) readEnvVersions(s *manifest.File, p *Package) {
	configs := []*tomledit.Node{p.Build.Node}
	for _, target := range p.Build.Targets {
		configs = append(configs, target.Node)
	}
	for _, config := range configs {
		for _, n := range config.Get("env").Members() {
			if !n.Is(tomledit.String) {
				continue // the reader of the configuration refuses it
			}
			for _, v := range versionfile.ReadEnv(s, n) {
				l.envs = append(l.envs, envVersion{EnvVersion: v, builds: p})
			}
		}
	}
}

// ownEnvVersions gives each version that a build's environment names to the package that it is of: the one that is built, or the
// sibling that the variable names. One for a stranger's distribution is nobody's.
func (l *loader) ownEnvVersions(packages []*Package) {
	for _, v := range l.envs {
		for _, p := range packages {
			named := v.Distribution != "" && manifest.PyPIName(v.Distribution) == manifest.PyPIName(cmp.Or(p.PyPIName, p.Name))
			if named || v.Distribution == "" && p == v.builds {
				p.Versions = append(p.Versions, v.Version)
			}
		}
	}
}
