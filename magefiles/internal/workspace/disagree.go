package workspace

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Disagreements returns the contradictions between manifests, sorted by file and line. It looks for:
//
//   - a package whose pixi.toml and pyproject.toml have different versions;
//   - an exact pin on a sibling's version that the sibling does not have. Pins in a downstream are ignored, because a downstream
//     upgrades when it wants to. A pin in the root manifest is reported only if the same package is also required by path, because both
//     cannot be satisfied;
//   - a run dependency on a sibling, if one of the package's two files has an exact pin and the other has a range, or if it is missing
//     from one file although both files list siblings;
//   - two package names that are the same name on PyPI, such as a-b and a_b;
//   - packages with different versions, if the workspace uses one version for all.
func (w *Workspace) Disagreements() []Disagreement {
	out := append(w.Doubles(), w.findLaggards()...)
	for _, p := range w.Packages {
		out = append(out, p.versionDisagreements()...)
		for _, r := range p.Requires {
			out = append(out, w.pinDisagreements(p.Name, r)...)
		}
		out = append(out, w.listDisagreements(p)...)
	}
	for _, r := range w.Requires {
		if r.Path != "" && !r.Inherited {
			out = append(out, w.pinDisagreements(w.Manifest.Name, r)...)
		}
	}
	slices.SortStableFunc(out, func(a, b Disagreement) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Pos.Compare(b.Pos))
	})
	return slices.Compact(out)
}

// Doubles returns the packages that have the same name on PyPI as another package, such as `a_b` and `a-b`. Each would overwrite the
// other's files, and a requirement would be ambiguous.
func (w *Workspace) Doubles() []Disagreement {
	var out []Disagreement
	seen := map[string]*Package{}
	for _, p := range w.Packages {
		if p.PyPIName == "" {
			continue
		}
		name := manifest.PyPIName(p.PyPIName)
		if other := seen[name]; other != nil && other.PyPIName != p.PyPIName {
			out = append(out, Disagreement{
				Package: p.Name,
				Pos:     p.Project.NamePos,
				Message: fmt.Sprintf(
					"%s and %s (%s) are the same name for Python: rename one of the two packages", p.PyPIName, other.PyPIName, other.Project.NamePos),
			})
			continue
		}
		seen[name] = p
	}
	return out
}

// `findLaggards` returns the packages whose version is lower than the highest one, if all packages should share one version. It ignores
// packages whose version comes from a tag.
func (w *Workspace) findLaggards() []Disagreement {
	if w.Config.Versioning != settings.Lockstep {
		return nil
	}
	var out []Disagreement
	at := map[*Package]version.Version{}
	var first *Package // package with the highest version
	for _, p := range w.order {
		v, err := version.Parse(p.Version.Says())
		if err != nil || p.FromTags() != nil {
			continue
		}
		at[p] = v
		if first == nil || v.Compare(at[first]) > 0 {
			first = p
		}
	}
	for _, p := range w.order {
		if v, known := at[p]; known && v.Compare(at[first]) != 0 {
			out = append(out, Disagreement{
				Package: p.Name,
				Pos:     p.Version.Pos,
				Apart:   true,
				Message: fmt.Sprintf(
					"%s is at %s, but %s is at %s (%s:%d); all packages must have the same version", p.Name, v, first.Name, at[first], first.Version.Pos.File, first.Version.Pos.Line),
			})
		}
	}
	return out
}

// DisagreementError returns an error if the manifests disagree. The caller must have printed each disagreement, because the error
// refers to "the places named above".
func (w *Workspace) DisagreementError() error {
	found := w.Disagreements()
	if len(found) == 0 {
		return nil
	}
	return operr.New("correct the places named above, "+w.WaysOut(found), "the manifests disagree in %s", operr.Count(len(found), "place"))
}

// WaysOut returns the other ways to resolve disagreements, as the end of a sentence that begins with "correct the places named
// above".
func (w *Workspace) WaysOut(found []Disagreement) string {
	ways := "or let a bump correct them: `mage version:bump -to=… -fixDrift`"
	if slices.ContainsFunc(found, func(d Disagreement) bool { return d.Apart }) {
		return ways + ", " + w.TheirOwn()
	}
	return ways
}

// TheirOwn returns the end of a next step for packages that should have separate versions.
func (w *Workspace) TheirOwn() string {
	return fmt.Sprintf("or let each package have its own version with `versioning = %q` in [tool.release] of %s", settings.Independent, w.Manifest.Path)
}

func (p *Package) versionDisagreements() []Disagreement {
	var out []Disagreement
	for _, v := range p.Versions[1:] {
		if v.Text != "" && p.Version.Text != "" && !version.Same(v.Says(), p.Version.Says()) {
			out = append(out, Disagreement{
				Package: p.Name,
				Pos:     v.Pos,
				Message: fmt.Sprintf(
					"%s has version %s in %s:%d, but %s in %s:%d", p.Name, v.Text, v.Pos.File, v.Pos.Line, p.Version.Text, p.Version.Pos.File, p.Version.Pos.Line),
			})
		}
	}
	if p.Version.Source == manifest.VersionMissing {
		out = append(out, Disagreement{Package: p.Name, Pos: p.Version.Pos, Message: fmt.Sprintf("%s has no version", p.Name)})
	}
	return out
}

// versionFor returns the version to which a requirement of kind k is compared. For PyPI it is the version in pyproject.toml, because
// the wheel has that version.
func (p *Package) versionFor(k manifest.Kind) string {
	if k == manifest.PyPI && p.Project != nil && p.Project.Version.Text != "" {
		return p.Project.Version.Text
	}
	return p.Version.Text
}

// pinDisagreements compares an exact pin with the sibling's version. If the pin is inherited, the error is reported at the pool entry.
func (w *Workspace) pinDisagreements(who string, r Requirement) []Disagreement {
	at := w.byName[r.Package].versionFor(r.Kind)
	if r.Pin == "" || at == "" || version.Same(r.Pin, at) {
		return nil
	}
	pos := r.Pos
	if r.Inherited {
		if d := w.Manifest.PoolByName()[manifest.CondaName(r.Name)]; d != nil {
			who, pos = w.Manifest.Name, d.Pos
		}
	}
	return []Disagreement{{Package: who, Pos: pos, Message: fmt.Sprintf("%s pins %s to %s, but the package is at %s", who, r.Name, r.Pin, at)}}
}

// listDisagreements compares the run dependencies on siblings in a package's two files. A requirement without a version, such as a
// path, agrees with any version, and so does a requirement that the backend maps or keeps up to date.
func (w *Workspace) listDisagreements(p *Package) []Disagreement {
	if p.Project == nil || p.Manifest == p.Pyproject || !p.Build.Python.IgnoreMapping || slices.Contains(p.Project.Dynamic, "dependencies") {
		return nil
	}
	conda, pypi := p.runs(manifest.Conda), p.runs(manifest.PyPI)
	if len(conda) == 0 || len(pypi) == 0 {
		return nil
	}
	var out []Disagreement
	add := func(r Requirement, format string, args ...any) {
		out = append(out, Disagreement{Package: p.Name, Pos: r.Pos, Message: p.Name + fmt.Sprintf(format, args...)})
	}
	for _, c := range conda {
		i := slices.IndexFunc(pypi, func(r Requirement) bool { return r.Package == c.Package })
		switch {
		case i < 0 && !p.names(c.Package, manifest.PyPI) && w.byName[c.Package].PyPIName != "":
			add(c, " requires %s in %s, but not in %s", c.Name, path.Base(p.Manifest), path.Base(p.Pyproject))
		case i >= 0 && c.Spec != "" && pypi[i].Spec != "" && (c.Pin == "") != (pypi[i].Pin == ""):
			add(c, " requires %s %s in %s, but %s in %s", c.Name, c.Spec, path.Base(p.Manifest), pypi[i].Spec, path.Base(p.Pyproject))
		}
	}
	for _, r := range pypi {
		if !p.names(r.Package, manifest.Conda) {
			add(r, " requires %s in %s, but not in %s", r.Name, path.Base(p.Pyproject), path.Base(p.Manifest))
		}
	}
	return out
}

// `runs` returns the unconditional run dependencies on siblings of kind k.
func (p *Package) runs(k manifest.Kind) []Requirement {
	var out []Requirement
	for _, r := range p.Requires {
		if r.Kind == k && r.Role == manifest.RoleRun && r.Package != p.Name && r.Dependency.Condition == "" && r.Dependency.Spec.Marker == "" {
			out = append(out, r)
		}
	}
	return out
}

// `names` reports whether any table of kind k requires the sibling.
func (p *Package) names(sibling string, k manifest.Kind) bool {
	return slices.ContainsFunc(p.Requires, func(r Requirement) bool { return r.Kind == k && r.Package == sibling })
}
