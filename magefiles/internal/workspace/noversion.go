package workspace

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// FromTags returns the place that says that a tool makes the version of the package's wheel from tags: the tag is the version then,
// and whatever else says one is a copy. It is nil where no tool does.
func (p *Package) FromTags() *manifest.Version {
	i := slices.IndexFunc(p.Versions, func(v manifest.Version) bool { return v.Source == manifest.VersionTag })
	if i < 0 {
		return nil
	}
	return &p.Versions[i]
}

// NoVersion is a package in whose manifests pixi finds no version, so that nothing can build it ("There was no version defined for
// the recipe", pixi-facts.md §1.1).
type NoVersion struct {
	Package *Package
	Why     string // what makes the version, or that nothing does
}

// NoVersions returns those of the packages in whose manifests pixi finds no version. Backends that take it from a file of their
// own are left to themselves.
func NoVersions(packages []*Package) (found []NoVersion) {
	for _, p := range packages {
		v, n := p.Version, NoVersion{Package: p}
		switch v.Source {
		case manifest.VersionMissing:
			n.Why = "none of its manifests has one"
		case manifest.VersionTag:
			n.Why = v.Detail + " makes it from tags"
		case manifest.VersionDynamic:
			n.Why = "it is made while building"
			if v.Detail != "" {
				n.Why += " (" + v.Detail + ")"
			}
		case manifest.VersionFile:
			n.Why = "it does not read " + v.Pos.File
		}
		if n.Why != "" && (p.Build.Backend == manifest.PythonBackend || v.Source == manifest.VersionMissing || v.Source == manifest.VersionTag) {
			found = append(found, n)
		}
	}
	return found
}

// Err says that the package cannot be built, and which line to add. at is the version that it is at; "" where there is none yet.
func (n NoVersion) Err(at string) *operr.Error {
	table, file := "[package]", n.Package.Manifest
	if file == n.Package.Pyproject {
		table = "[tool.pixi.package]"
	}
	return operr.New(fmt.Sprintf("add the line `version = %q` below %s in %s; from then on a bump keeps it right", cmp.Or(at, "0.1.0"), table, file),
		"%s: %s cannot be built: pixi finds no version of it, since %s", n.Package.Version.Pos, n.Package.Name, n.Why)
}
