package toolchain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// PythonBackend is the only build backend whose metadata we can predict completely. Other backends may add entries.
const PythonBackend = "pixi-build-python"

// Depend is an entry that the manifest requires in an artifact's `depends`.
type Depend struct {
	Spec string // requirement as pixi-build-python writes it: "numpy >=1.26,<3"

	// Optional is set if the entry depends on unknown information, such as a condition on the build's variants.
	Optional bool

	// AnyVersion is set if the build computes the pin. Only the name in Spec is compared.
	AnyVersion bool
}

// ExpectedDepends returns the entries that must be in the depends of p's artifact if it is built on a conda platform, in pixi-build-python's
// order. If platform is "" because the artifact was built elsewhere, conditional entries are optional.
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

// expect converts the package's dependencies of one role.
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

// meets reports whether an artifact's entry is the expected one.
func (d Depend) meets(found condapkg.MatchSpec) bool {
	if d.AnyVersion {
		return found.Name == d.name()
	}
	return found.Same(condapkg.ParseMatchSpec(d.Spec))
}

// implies reports whether an artifact's entry is redundant given the expected entry. For example, the interpreter exports a bare "python" to
// every noarch package built with it, next to "python >=3.11".
func (d Depend) implies(found condapkg.MatchSpec) bool { return found.String() == d.name() }

func (d Depend) name() string { return condapkg.ParseMatchSpec(d.Spec).Name }

// compare compares match specs with the expected entries, in any order, and returns a phrase for each missing or unexpected entry. An unexpected
// entry is accepted if `allowed` returns true.
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
			wrong = append(wrong, fmt.Sprintf("%s has %q, which the manifest does not require", what, found[i]))
		}
	}
	return wrong
}

// nameInstead returns a phrase that lists the artifact's entries with the expected name.
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
	return ", but has " + strings.Join(found, ", ")
}
