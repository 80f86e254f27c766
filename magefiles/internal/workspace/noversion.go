package workspace

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// FromTags returns the setting that makes a tool derive the wheel's version from tags, or nil if there is none. If there is one, the
// tag defines the version, and versions in files are copies.
func (p *Package) FromTags() *manifest.Version {
	i := slices.IndexFunc(p.Versions, func(v manifest.Version) bool { return v.Source == manifest.VersionTag })
	if i < 0 {
		return nil
	}
	return &p.Versions[i]
}

// NoVersion describes a package for which pixi finds no version in the manifests. It cannot be built ("There was no version defined for
// the recipe", pixi-facts.md §1.1).
type NoVersion struct {
	Package *Package
	Why     string // why pixi finds no version: a tool computes it, or it is missing altogether
}

// NoVersions returns the packages for which pixi finds no version in the manifests, except those whose backend reads the version from
// another file.
func NoVersions(packages []*Package) (found []NoVersion) {
	for _, p := range packages {
		v, n := p.Version, NoVersion{Package: p}
		switch v.Source {
		case manifest.VersionMissing:
			n.Why = "none of its manifests has a version"
		case manifest.VersionTag:
			n.Why = v.Detail + " computes the version from tags"
		case manifest.VersionDynamic:
			n.Why = "the version is computed during the build"
			if v.Detail != "" {
				n.Why += " (" + v.Detail + ")"
			}
		case manifest.VersionFile:
			n.Why = "pixi does not read " + v.Pos.File
		}
		if n.Why != "" && (p.Build.Backend == manifest.PythonBackend || v.Source == manifest.VersionMissing || v.Source == manifest.VersionTag) {
			found = append(found, n)
		}
	}
	return found
}

// Err returns an error that says why the package cannot be built, with the line to add as its next step. `at` is the package's
// current version, or "" before the first release.
func (n NoVersion) Err(at string) *operr.Error {
	table, file := "[package]", n.Package.Manifest
	if file == n.Package.Pyproject {
		table = "[tool.pixi.package]"
	}
	return operr.New(fmt.Sprintf("add the line `version = %q` below %s in %s; later bumps change that line", cmp.Or(at, "0.1.0"), table, file),
		"%s: %s cannot be built: pixi finds no version of this package: %s", n.Package.Version.Pos, n.Package.Name, n.Why)
}
