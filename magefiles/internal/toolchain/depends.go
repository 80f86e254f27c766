package toolchain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// PythonBackend is the build backend whose metadata is known to the last entry; others may add to it.
const PythonBackend = "pixi-build-python"

// Depend is one entry that a manifest lets expect in the depends of its artifact.
type Depend struct {
	Spec string // as pixi-build-python writes it: "numpy >=1.26,<3"

	// Optional is set when it depends on something that is not known here, such as a condition on the build's variants.
	Optional bool

	// AnyVersion is set for a pin that the build itself computes: only the name of Spec counts.
	AnyVersion bool
}

// ExpectedDepends says what depends of p's artifact must hold when it is built on a conda platform, in the order that
// pixi-build-python writes. Where the platform is "" (an artifact that was built elsewhere), what is conditional is
// optional.
func ExpectedDepends(p *workspace.Package, platform string) []Depend {
	expected := expect(p, manifest.RoleRun, platform)
	if p.Build.Backend == PythonBackend {
		python := condapkg.MatchSpec{Name: "python"}
		if p.Project != nil && !p.Build.Python.IgnorePyproject {
			python.Version = condapkg.NormalizeVersion(p.Project.RequiresPython)
		}
		expected = append(expected, Depend{Spec: python.String()})
	}
	return expected
}

// expect translates the package's tables of one role.
func expect(p *workspace.Package, role manifest.Role, platform string) []Depend {
	var expected []Depend
	for _, d := range p.Dependencies(role) {
		condition := holds(d.Condition, platform)
		if condition == no {
			continue
		}
		m := condapkg.MatchSpec{Name: strings.ToLower(d.Name), Version: condapkg.NormalizeVersion(d.Spec.Text), Build: d.Spec.Build}
		expected = append(expected, Depend{
			Spec:       m.String(),
			Optional:   condition == unknown,
			AnyVersion: d.Spec.PinCompatible || d.Spec.PinSubpackage,
		})
	}
	return expected
}

// meets reports whether an entry of an artifact is the expected one.
func (d Depend) meets(found condapkg.MatchSpec) bool {
	if d.AnyVersion {
		return found.Name == d.name()
	}
	return found.Same(condapkg.ParseMatchSpec(d.Spec))
}

// implies reports whether an entry says nothing beyond the expected one: a bare "python" beside "python >=3.11", which
// the interpreter exports to every noarch package that is built with it.
func (d Depend) implies(found condapkg.MatchSpec) bool { return found.String() == d.name() }

func (d Depend) name() string { return condapkg.ParseMatchSpec(d.Spec).Name }

// compare holds a list of match specs with what is expected, and says in a phrase each what is missing and what
// is there for no reason. Order does not count. Of what is not expected, an entry is let pass when allowed says so.
func compare(what string, expected []Depend, found []string, allowed func(condapkg.MatchSpec) bool) []string {
	var specs []condapkg.MatchSpec
	for _, s := range found {
		specs = append(specs, condapkg.ParseMatchSpec(s))
	}
	var wrong []string
	missing := map[string]bool{}
	for _, d := range expected {
		if !d.Optional && !slices.ContainsFunc(specs, d.meets) {
			wrong = append(wrong, fmt.Sprintf("%s lacks %q%s", what, d.Spec, nameInstead(d, specs)))
			missing[d.name()] = true
		}
	}
	for i, m := range specs {
		isExpected := slices.ContainsFunc(expected, func(d Depend) bool { return d.meets(m) || d.implies(m) })
		if !isExpected && !missing[m.Name] && !allowed(m) {
			wrong = append(wrong, fmt.Sprintf("%s has %q, which the manifest does not ask for", what, found[i]))
		}
	}
	return wrong
}

// nameInstead names the entries that stand there under the expected name.
func nameInstead(d Depend, specs []condapkg.MatchSpec) string {
	var found []string
	for _, m := range specs {
		if m.Name == d.name() {
			found = append(found, fmt.Sprintf("%q", m))
		}
	}
	if found == nil {
		return ""
	}
	return " and has " + strings.Join(found, ", ")
}
