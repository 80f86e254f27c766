package condanames

import (
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// FindProject returns the pyproject.toml beside a manifest with a [workspace] table; nil where there is none.
func FindProject(w *workspace.Workspace, m *manifest.Manifest) *manifest.Project {
	if m == w.Manifest {
		return w.Project
	}
	for _, d := range w.Downstreams {
		if d.Manifest == m {
			return d.Project
		}
	}
	return nil
}

// FindOwn returns the package of the workspace that a conda requirement means, by its name or its path; nil for a stranger.
func FindOwn(w *workspace.Workspace, d manifest.Dependency) *workspace.Package {
	for _, p := range w.Packages {
		if p.Name == manifest.CondaName(d.Name) {
			return p
		}
	}
	for _, p := range w.Packages {
		if d.Spec.Path != "" && p.Dir == d.Spec.Target() {
			return p
		}
	}
	return nil
}

// FindOwnProject returns the package of the workspace that has a name on PyPI; nil for a stranger.
func FindOwnProject(w *workspace.Workspace, name string) *workspace.Package {
	for _, p := range w.Packages {
		if manifest.PyPIName(nameProject(p)) == manifest.PyPIName(name) {
			return p
		}
	}
	return nil
}

// nameProject says what a package calls itself as a project.
func nameProject(p *workspace.Package) string {
	if p.PyPIName != "" {
		return p.PyPIName
	}
	return p.Name
}

// RefuseOwnBackend refuses a package that is built by another one of the workspace: the build environment is made from PyPI, where
// somebody else may have its name.
func RefuseOwnBackend(w *workspace.Workspace, p *workspace.Package) error {
	if p.Project == nil {
		return nil
	}
	for _, d := range p.Project.Dependencies {
		if d.Role != manifest.RoleBuild || d.Spec.Source() {
			continue
		}
		if other := FindOwnProject(w, d.Name); other != nil && other != p {
			return operr.New("build it with pixi: PIPELINE_TOOLCHAIN=pixi", "%s: the embedded toolchain cannot build %s: it is built by %s, a package of this workspace, and PyPI is not asked for that",
				d.Pos, p.Name, other.Name)
		}
	}
	return nil
}
