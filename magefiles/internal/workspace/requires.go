package workspace

import (
	"cmp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// siblings finds the package that a dependency means.
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
	// A package without a pyproject.toml may still make a wheel: its conda name is the best guess.
	for _, p := range packages {
		if name := manifest.PyPIName(p.Name); p.PyPIName == "" && s.pypi[name] == nil {
			s.pypi[name] = p
		}
	}
	return s
}

// find returns the package that a dependency means by its name, or by its path; nil for a stranger.
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

// requirements picks those dependencies that mean a sibling, in the order of the files. own is the conda name of the package
// that has them: what it asks of itself counts only where a version is said (`all = ["core[gui]==0.1.0"]`).
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

// backend returns the build backend as a dependency: a repository may build its own.
func (p *Package) backend() []manifest.Dependency {
	return []manifest.Dependency{{Pos: p.Build.Pos, Name: p.Build.Backend, Spec: p.Build.Spec, Kind: manifest.Conda, Role: manifest.RoleBackend, Table: "package.build.backend"}}
}

// dependenciesOf are those of a pyproject.toml; none where there is no such file.
func dependenciesOf(p *manifest.Project) []manifest.Dependency {
	if p == nil {
		return nil
	}
	return p.Dependencies
}
