package condanames

import (
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// FindProject returns the pyproject.toml next to a manifest with a [workspace] table, or nil if there is none.
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

// FindOwn returns the workspace package that a conda requirement refers to by name or path, or nil.
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

// FindOwnProject returns the workspace package with the given PyPI name, or nil.
func FindOwnProject(w *workspace.Workspace, name string) *workspace.Package {
	for _, p := range w.Packages {
		if manifest.PyPIName(nameProject(p)) == manifest.PyPIName(name) {
			return p
		}
	}
	return nil
}

// nameProject returns a package's PyPI name.
func nameProject(p *workspace.Package) string {
	if p.PyPIName != "" {
		return p.PyPIName
	}
	return p.Name
}

// RefuseOwnBackend returns an error if a package is built by another package of the workspace. Build environments are installed from PyPI, where
// that name may belong to someone else.
func RefuseOwnBackend(w *workspace.Workspace, p *workspace.Package) error {
	if p.Project == nil {
		return nil
	}
	for _, d := range p.Project.Dependencies {
		if d.Role != manifest.RoleBuild || d.Spec.Source() {
			continue
		}
		if other := FindOwnProject(w, d.Name); other != nil && other != p {
			return operr.New("build the package with pixi: PIPELINE_TOOLCHAIN=pixi", "%s: the embedded toolchain cannot build %s: its build backend is %s, a package of this workspace, which must not come from PyPI",
				d.Pos, p.Name, other.Name)
		}
	}
	return nil
}
