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

// readPackage reads the Python requirements in a package's pyproject.toml and in its tables with the given roles, as they apply to this machine.
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

// IsEntry reports whether a dependency is a requirement on the interpreter.
func IsEntry(d manifest.Dependency) bool {
	return d.Kind == manifest.Conda && manifest.CondaName(d.Name) == "python"
}

// MinorsOf returns the minor versions, such as "3.12", that all packages accept and that the toolchain's tools support, oldest first. It always
// returns at least one. Specs that cannot be parsed are ignored.
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
	if len(fit) == 0 { // GitHub's runners already have a newer one
		fit = []string{fmt.Sprintf("3.%d", toolsMinor)}
	}
	return fit
}

// ReadBuild reads the Python requirements for building a package.
func ReadBuild(p *workspace.Package) ([]Ask, error) {
	return readPackage(nil, p, manifest.RoleBuild, manifest.RoleHost, manifest.RoleRun, manifest.RoleConstraint)
}

// ReadRun appends the Python requirements of an environment that contains the packages. Build requirements are not included.
func ReadRun(known []Ask, packages []*workspace.Package) (asks []Ask, err error) {
	asks = known
	for _, p := range packages {
		if asks, err = readPackage(asks, p, manifest.RoleRun, manifest.RoleConstraint); err != nil {
			return nil, err
		}
	}
	return asks, nil
}

// ReadArchives appends the Python requirements of artifacts.
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
