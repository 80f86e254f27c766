package embedded

import (
	"context"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/building"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Use is a consumer that gets its own interpreter: an environment of a manifest, the build of a package, or, if neither is named, the environment
// in which all packages are verified.
type Use struct {
	Manifest    string // path relative to the root; "" for a package
	Environment string
	Package     string

	Python pythons.Interpreter
	Err    error // why there is no interpreter, or nil
}

// Parts returns the kind of consumer, and its name.
func (u Use) Parts() (kind, name string) {
	switch {
	case u.Environment != "":
		return u.Manifest, u.Environment
	case u.Package != "":
		return "building", u.Package
	}
	return "installing", "all packages together"
}

func (u Use) String() string {
	kind, name := u.Parts()
	if u.Environment != "" {
		return "the environment " + name + " of " + kind
	}
	return kind + " " + name
}

// Uses returns the interpreter for each environment and each package. It does not fetch or create anything. It returns an error only if ctx is
// done.
func (e *Toolchain) Uses(ctx context.Context) ([]Use, error) {
	var out []Use
	add := func(u Use, asks []pythons.Ask, err error) {
		if err == nil {
			u.Python, err = e.pythons.Choose(ctx, u.String(), asks)
		}
		u.Err = err
		out = append(out, u)
	}
	for _, m := range e.workspace.Manifests() {
		for _, environment := range m.Environments {
			var asks []pythons.Ask
			r, err := m.Resolve(environment.Name, workspace.HostPlatform())
			if err == nil {
				asks, err = e.readOwn(m, r)
			}
			if err == nil {
				asks, err = pythons.ReadRun(asks, e.findPackages(r))
			}
			add(Use{Manifest: m.Path, Environment: environment.Name}, asks, err)
		}
	}
	packages := e.listOurs()
	for _, p := range packages {
		asks, err := pythons.ReadBuild(p)
		add(Use{Package: p.Name}, asks, err)
	}
	if len(packages) > 1 {
		asks, err := pythons.ReadRun(nil, packages)
		add(Use{}, asks, err)
	}
	return out, ctx.Err()
}

// listOurs lists the packages that the embedded toolchain can build.
func (e *Toolchain) listOurs() []*workspace.Package {
	return slices.DeleteFunc(e.workspace.Order(), func(p *workspace.Package) bool { return building.WhyPixi(p) != "" })
}

// Ready implements toolchain.Toolchain.
func (e *Toolchain) Ready(ctx context.Context) error {
	packages := e.listOurs()
	for _, p := range packages {
		if _, err := e.builder.FindPython(ctx, p); err != nil {
			return err
		}
	}
	asks, err := pythons.ReadRun(nil, packages)
	if err == nil {
		_, err = e.pythons.Choose(ctx, Use{}.String(), asks)
	}
	return err
}

// findPackages returns the workspace packages in an environment that can be determined without a channel.
func (e *Toolchain) findPackages(r *manifest.Resolved) []*workspace.Package {
	var out []*workspace.Package
	var add func(deps []manifest.Dependency)
	add = func(deps []manifest.Dependency) {
		for _, d := range deps {
			i := slices.IndexFunc(e.workspace.Packages, func(p *workspace.Package) bool { return p.Name == manifest.CondaName(d.Name) })
			if i < 0 || d.Condition != "" || slices.Contains(out, e.workspace.Packages[i]) {
				continue
			}
			p := e.workspace.Packages[i]
			if pin, exact := version.Pin(d.Spec.Text); exact && !version.Same(pin, p.Version.Text) {
				continue // another version, which comes from the channel
			}
			out = append(out, p)
			add(p.Dependencies(manifest.RoleRun))
		}
	}
	add(r.Conda)
	return out
}
