package condanames

import (
	"cmp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Name is a conda name that manifests require, and what is installed for it without conda.
type Name struct {
	Name   string       // lower-cased
	Pos    manifest.Pos // position of the requirement
	Answer Answer
}

// List returns the conda names that a workspace's environments, downstreams and packages require, sorted by name, once per distinct answer. The
// workspace's own packages are not included. Names that are required on one platform only are included.
func List(w *workspace.Workspace) []Name {
	var names []Name
	add := func(d manifest.Dependency, beside *manifest.Project) {
		if name := manifest.CondaName(d.Name); name != "python" && FindOwn(w, d) == nil && !d.Spec.Source() {
			names = append(names, Name{Name: name, Pos: d.Pos, Answer: Find(w, d, beside)})
		}
	}
	for _, m := range w.Manifests() {
		for _, f := range m.Features {
			for _, t := range f.Targets {
				for _, d := range t.Dependencies {
					if d.Kind == manifest.Conda && d.Role == manifest.RoleEnvironment {
						add(d, FindProject(w, m))
					}
				}
			}
		}
	}
	for _, p := range w.Packages {
		for _, d := range p.Dependencies(manifest.RoleRun) {
			add(d, p.Project)
		}
	}
	slices.SortStableFunc(names, func(a, b Name) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(names, func(a, b Name) bool { return a.Name == b.Name && a.Answer == b.Answer })
}
