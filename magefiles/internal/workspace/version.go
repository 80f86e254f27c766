package workspace

import (
	"cmp"
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/versionfile"
)

// packageVersion finds the version of the conda package, and all places where the package's version is written
// (pixi-facts.md §1.1; PackageDefaults in crates/pixi_manifest/src/pyproject.rs).
func (l *loader) packageVersion(s *manifest.File, p *Package) (v Version, all []Version) {
	n := s.Pixi.Get("package", "version")
	project := p.Project
	if project != nil && (!p.takesProject() || project.Version.Source == VersionMissing) {
		project = nil
	}
	switch {
	case n != nil && s.Inherits(n):
		v = Version{Text: l.manifest.Version, Source: VersionWorkspace, Pos: l.manifest.VersionPos, Node: l.root.VersionNode()}
		if l.manifest.Version == "" {
			s.Fail(n, "add `version` to the workspace's manifest, or write it here", "the version is inherited, but the workspace defines none")
		}
	case n != nil:
		v = Version{Text: s.Str(n), Source: VersionPackage, Pos: s.ValuePos(n), Node: n}
	case project != nil:
		return project.Version, []Version{project.Version}
	case p.Build.Backend != manifest.PythonBackend:
		v = Version{Source: VersionBackend, Detail: p.Build.Backend, Pos: p.Pos}
	default:
		v = Version{Source: VersionMissing, Pos: p.Pos}
	}
	all = []Version{v}
	if p.Project != nil && p.Project.Version.Source != VersionMissing {
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
	real, src, err := l.text(path.Join(p.SourceDir, RecipeFile))
	if err != nil {
		return // it may be made while building; the version is then the backend's affair
	}
	r := versionfile.ReadRecipe(s, real, src)
	p.recipe, p.onePlatform = r.Dependencies, r.OnePlatform
	if r.Version == nil {
		return
	}
	all := []Version{*r.Version}
	for _, other := range p.Versions {
		if other.Source != VersionBackend && other.Source != VersionMissing {
			all = append(all, other)
		}
	}
	p.Version, p.Versions = *r.Version, all
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
		v, ok := versionfile.FindLiteral(real, src)
		if !ok || computed && v.Text != p.Version.Text {
			delete(l.texts, real)
			continue
		}
		p.Versions = append(p.Versions, v)
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
			named := v.Distribution != "" && PyPIName(v.Distribution) == PyPIName(cmp.Or(p.PyPIName, p.Name))
			if named || v.Distribution == "" && p == v.builds {
				p.Versions = append(p.Versions, v.Version)
			}
		}
	}
}
