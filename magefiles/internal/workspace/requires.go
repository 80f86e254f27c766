package workspace

import (
	"cmp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// siblings maps a dependency to the workspace package that it refers to.
type siblings struct {
	conda, pypi, dirs map[string]*Package
}

func newSiblings(packages []*Package) siblings {
	s := siblings{conda: map[string]*Package{}, pypi: map[string]*Package{}, dirs: map[string]*Package{}}
	for _, p := range packages {
		s.conda[p.Name] = p
		s.dirs[p.Dir] = p
		if p.PyPIName != "" {
			s.pypi[manifest.PyPIName(p.PyPIName)] = p
		}
	}
	// A package without a pyproject.toml may still produce a wheel. Assume that its PyPI name equals its conda name.
	for _, p := range packages {
		if name := manifest.PyPIName(p.Name); p.PyPIName == "" && s.pypi[name] == nil {
			s.pypi[name] = p
		}
	}
	return s
}

// find returns the workspace package that a dependency refers to by name or by path, or nil if there is none.
func (s siblings) find(d *manifest.Dependency) *Package {
	byName := s.conda[manifest.CondaName(d.Name)]
	if d.Kind == manifest.PyPI {
		byName = s.pypi[manifest.PyPIName(d.Name)]
	}
	if byName != nil || d.Spec.Path == "" {
		return byName
	}
	return s.dirs[d.Spec.Target()]
}

// requirements returns the dependencies on siblings, in file order. `own` is the conda name of the package that declares them. A
// requirement on itself counts only if it has a version (`all = ["core[gui]==0.1.0"]`).
func (s siblings) requirements(own string, deps ...[]manifest.Dependency) []Requirement {
	var out []Requirement
	files := map[string]int{}
	for _, list := range deps {
		for i := range list {
			d := &list[i]
			if _, seen := files[d.File]; !seen {
				files[d.File] = len(files)
			}
			if p := s.find(d); p != nil && (p.Name != own || d.Spec.Text != "" && !d.Spec.Workspace) {
				out = append(out, newRequirement(p, *d))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Requirement) int {
		return cmp.Or(cmp.Compare(files[a.File], files[b.File]), a.Pos.Compare(b.Pos))
	})
	return out
}

func newRequirement(p *Package, d manifest.Dependency) Requirement {
	r := Requirement{
		Name:       d.Name,
		Spec:       d.Spec.Text,
		Package:    p.Name,
		Pos:        d.Pos,
		Kind:       d.Kind,
		Role:       d.Role,
		Table:      d.Table,
		Path:       d.Spec.Path,
		Inherited:  d.Spec.Workspace,
		Dependency: d,
	}
	r.Pin, _ = version.Pin(d.Spec.Text)
	return r
}

// backend returns the build backend as a dependency, because a workspace can contain its own backend.
func (p *Package) backend() []manifest.Dependency {
	return []manifest.Dependency{{Pos: p.Build.Pos, Name: p.Build.Backend, Spec: p.Build.Spec, Kind: manifest.Conda, Role: manifest.RoleBackend, Table: "package.build.backend"}}
}

// dependenciesOf returns the dependencies in a pyproject.toml, or nil if p is nil.
func dependenciesOf(p *manifest.Project) []manifest.Dependency {
	if p == nil {
		return nil
	}
	return p.Dependencies
}
