package condanames

import (
	"cmp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Name is a conda name that manifests ask for, and what it stands for where there is no conda.
type Name struct {
	Name   string       // lower-cased
	Pos    manifest.Pos // where it is asked for
	Answer Answer
}

// List lists the conda names that the environments of a workspace, of its downstreams, and its packages ask for, by name, once
// for each answer. What the workspace has itself is not among them, and what is asked for on one platform only, is.
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
