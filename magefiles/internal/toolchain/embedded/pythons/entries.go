package pythons

import (
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// readPackage reads what a package's pyproject.toml and its tables of some roles ask of the interpreter, on this machine.
func readPackage(known []Ask, p *workspace.Package, roles ...manifest.Role) ([]Ask, error) {
	var entries []manifest.Dependency
	if p.Project != nil {
		entries = append(entries, p.Project.Python...)
	}
	for _, d := range p.Deps {
		if IsEntry(d) && slices.Contains(roles, d.Role) && toolchain.Holds(d.Condition, workspace.HostPlatform()) {
			entries = append(entries, d)
		}
	}
	return Read(known, entries...)
}

// IsEntry reports whether a dependency asks for an interpreter, and for nothing else.
func IsEntry(d manifest.Dependency) bool {
	return d.Kind == manifest.Conda && manifest.CondaName(d.Name) == "python"
}

// MinorsOf are the versions, such as "3.12", that every package takes, of those that the tools of the toolchain run on: the oldest first, and at least
// one. What cannot be read rules nothing out.
func MinorsOf(packages []*workspace.Package) (fit []string) {
	var asks []Ask
	for _, p := range packages {
		if more, err := ReadBuild(p); err == nil {
			asks = append(asks, more...)
		}
	}
	for minor := oldestMinor; minor <= toolsMinor; minor++ {
		if meets(asks, version.MustParse(fmt.Sprintf("3.%d.%d", minor, lastPatch))) {
			fit = append(fit, fmt.Sprintf("3.%d", minor))
		}
	}
	if len(fit) == 0 { // a newer one is on GitHub's machines already
		fit = []string{fmt.Sprintf("3.%d", toolsMinor)}
	}
	return fit
}

// ReadBuild reads what a package's build asks for.
func ReadBuild(p *workspace.Package) ([]Ask, error) {
	return readPackage(nil, p, manifest.RoleBuild, manifest.RoleHost, manifest.RoleRun, manifest.RoleConstraint)
}

// ReadRun reads, after what is known, what an environment asks for that packages are installed into. What they are built with does not matter there.
func ReadRun(known []Ask, packages []*workspace.Package) (asks []Ask, err error) {
	asks = known
	for _, p := range packages {
		if asks, err = readPackage(asks, p, manifest.RoleRun, manifest.RoleConstraint); err != nil {
			return nil, err
		}
	}
	return asks, nil
}

// ReadArchives reads, after what is known, what artifacts depend on.
func ReadArchives(known []Ask, archives []*condapkg.Archive) ([]Ask, error) {
	var entries []manifest.Dependency
	for _, a := range archives {
		index := a.Index()
		for _, depend := range index.Depends {
			if m := condapkg.ParseMatchSpec(depend); m.Name == "python" {
				entries = append(entries, manifest.Dependency{
					Pos:  manifest.Pos{File: index.FileName()},
					Name: "python",
					Kind: manifest.Conda,
					Spec: manifest.Spec{Text: m.Version, Build: m.Build},
				})
			}
		}
	}
	return Read(known, entries...)
}
