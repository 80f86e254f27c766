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

// packageVersion returns the conda package's version, and every place that contains it (pixi-facts.md §1.1; PackageDefaults in
// crates/pixi_manifest/src/pyproject.rs).
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
			s.Fail(n, "add `version` to the workspace's manifest, or write the version here", "the version is inherited, but the workspace has no version")
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

// readRecipe finds the version of a package that is built from a recipe.yaml. This backend always uses the version in the recipe, so a
// version in [package] is only a copy.
func (l *loader) readRecipe(s *manifest.File, p *Package) {
	if p.Build.Backend != manifest.RecipeBackend || p.SourceDir == "" {
		return
	}
	real, src, err := l.text(path.Join(p.SourceDir, manifest.RecipeFile))
	if err != nil {
		return // the build may generate the file; then only the backend knows the version
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

// readLiterals adds copies of the version in the package's own modules: __version__ = "…". A tool that derives the version from tags
// also writes these files, or leaves a placeholder in them. In that case, a literal counts only if it equals the package's static
// version. The same applies to files in which a version is not usually written.
func (l *loader) readLiterals(p *Package) {
	if p.SourceDir == "" || p.Version.Text == "" {
		return
	}
	s := modules.Sources{Dir: p.SourceDir, Names: [2]string{manifest.PyPIName(cmp.Or(p.PyPIName, p.Name)), manifest.PyPIName(p.Name)}}
	own := l.found.python.OfVersion(s)
	for _, file := range own {
		l.readLiteral(p, file, true)
	}
	for _, file := range l.found.python.ListPacked(s, own) {
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

// readImported handles a file that imports its __version__ from another file in the same folder.
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

// isVersionFile reports whether a version of the package was already found in the file.
func (l *loader) isVersionFile(p *Package, real string) bool {
	return slices.ContainsFunc(p.Versions, func(v manifest.Version) bool { return v.Pos.File == real })
}

// addLiteral adds a version that was found in a file, and reports whether it added the version. Unless `any` is set, the version must
// equal the package's version.
func (l *loader) addLiteral(p *Package, v manifest.Version, found, any bool) bool {
	computed := slices.ContainsFunc(p.Versions, func(v manifest.Version) bool { return v.Source == manifest.VersionTag })
	if !found || computed && v.Text != p.Version.Text || !any && !version.Same(v.Text, p.Version.Text) {
		return false
	}
	p.Versions = append(p.Versions, v)
	return true
}

// moduleText is like text, for a file that the walk has visited: it resolves the path only if the file is a symlink. The text is
// recorded if `use` returns true, or if it was recorded before.
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
		return // an unreadable file cannot be edited either
	}
	if !use(real, src) && !had {
		delete(l.texts, real)
	}
}

// envVersion is a version set in a build environment.
type envVersion struct {
	versionfile.EnvVersion
	builds *Package // the package that the manifest builds
}

// readEnvVersions finds versions in the `env` of [package.build.config] and of its targets.
func (l *loader) readEnvVersions(s *manifest.File, p *Package) {
	configs := []*tomledit.Node{p.Build.Node}
	for _, target := range p.Build.Targets {
		configs = append(configs, target.Node)
	}
	for _, config := range configs {
		for _, n := range config.Get("env").Members() {
			if !n.Is(tomledit.String) {
				continue // reported by the code that reads the configuration
			}
			for _, v := range versionfile.ReadEnv(s, n) {
				l.envs = append(l.envs, envVersion{EnvVersion: v, builds: p})
			}
		}
	}
}

// ownEnvVersions assigns each version in a variable of a build environment to a package: the package that is built, or the sibling in
// the variable's name. Versions of distributions that are not ours are dropped.
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
