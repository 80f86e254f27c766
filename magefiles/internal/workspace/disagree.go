package workspace

import (
	"cmp"
	"fmt"
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Disagreements returns what the manifests contradict each other in, by file and line:
//
//   - a package's version that its pixi.toml and its pyproject.toml give differently;
//   - an exact pin of a package on a version of a sibling that it does not have. A downstream's is none: it upgrades when
//     it wants to. The root manifest's own is one only beside a path, where both cannot hold;
//   - a run dependency on a sibling that is an exact pin in one of a package's two files and another range in the other, or
//     that stands in one only, though both list siblings;
//   - two names of packages that are one name on PyPI, and in an environment: a-b and a_b;
//   - versions of packages that differ, where all have one.
func (w *Workspace) Disagreements() []Disagreement {
	out := append(w.Doubles(), w.apart()...)
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

// Doubles returns the packages whose name on PyPI is that of another one: `a_b` and `a-b`. The files of one would replace those
// of the other, and a requirement may mean either.
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
					"%s and %s (%s) are one name to Python: rename one of them", p.PyPIName, other.PyPIName, other.Project.NamePos),
			})
			continue
		}
		seen[name] = p
	}
	return out
}

// apart returns the packages that are behind the highest version, where all have one. One whose version is that of its tag is where
// that is.
func (w *Workspace) apart() []Disagreement {
	if w.Config.Versioning != settings.Lockstep {
		return nil
	}
	var out []Disagreement
	at := map[*Package]version.Version{}
	var first *Package // of the highest version
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
					"%s is at %s, and %s at %s (%s:%d): all packages have one version", p.Name, v, first.Name, at[first], first.Version.Pos.File, first.Version.Pos.Line),
			})
		}
	}
	return out
}

// WaysOut says what can be done about disagreements, as a next step that begins with correcting what was named.
func (w *Workspace) WaysOut(found []Disagreement) string {
	ways := "or have them follow: `mage version:bump -to=… -fixDrift`"
	if slices.ContainsFunc(found, func(d Disagreement) bool { return d.Apart }) {
		return ways + ", " + w.TheirOwn()
	}
	return ways
}

// TheirOwn is the next step for packages that are not to have one version.
func (w *Workspace) TheirOwn() string {
	return fmt.Sprintf("or let each package have its own version: `versioning = %q` in [tool.release] of %s", settings.Independent, w.Manifest.Path)
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

// versionFor returns the version that a requirement of a kind is held against: a wheel carries the pyproject's.
func (p *Package) versionFor(k manifest.Kind) string {
	if k == manifest.PyPI && p.Project != nil && p.Project.Version.Text != "" {
		return p.Project.Version.Text
	}
	return p.Version.Text
}

// pinDisagreements holds an exact pin against the sibling's version. An inherited one is the pool's, and is wrong there.
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
	return []Disagreement{{Package: who, Pos: pos, Message: fmt.Sprintf("%s pins %s to %s, which is at %s", who, r.Name, r.Pin, at)}}
}

// listDisagreements compares the siblings that a package needs to run in its two files. A requirement without a version,
// such as a path alone, agrees with any; so does one that maintains itself, and one that the backend maps by itself.
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

// runs returns the unconditional run dependencies on siblings of one kind.
func (p *Package) runs(k manifest.Kind) []Requirement {
	var out []Requirement
	for _, r := range p.Requires {
		if r.Kind == k && r.Role == manifest.RoleRun && r.Package != p.Name && r.Dependency.Condition == "" && r.Dependency.Spec.Marker == "" {
			out = append(out, r)
		}
	}
	return out
}

// names reports whether any table of one kind names a sibling.
func (p *Package) names(sibling string, k manifest.Kind) bool {
	return slices.ContainsFunc(p.Requires, func(r Requirement) bool { return r.Kind == k && r.Package == sibling })
}
