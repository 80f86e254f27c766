package workspace

import (
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/workspace/named"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Sources returns the folders of the packages' sources, and separately the paths of path dependencies in these packages and in the root manifest.
// Paths are relative to the root. A path that begins with ".." is outside the workspace.
func (w *Workspace) Sources(packages ...*Package) (packed, named []string) {
	add := func(list []string, dir string) []string {
		if dir = path.Clean(dir); slices.Contains(list, dir) {
			return list
		}
		return append(list, dir)
	}
	for _, p := range packages {
		for _, dir := range p.Sources() {
			packed = add(packed, dir)
		}
		if p.SourceDir == "" && p.Build.Source.Path != "" {
			packed = add(packed, p.Build.Source.Target())
		}
		for _, d := range p.Deps {
			if d.Spec.Dir != "" {
				named = add(named, d.Spec.Dir)
			}
		}
	}
	for _, d := range w.Manifest.Dependencies() {
		if d.Spec.Dir != "" {
			named = add(named, d.Spec.Dir)
		}
	}
	return packed, named
}

// NamedFiles returns the package's readme, its licenses, and other files that its manifests refer to by path. Files in source folders
// are not included.
func (p *Package) NamedFiles() []named.File { return p.named }

// Inherited returns the names of the values that a package inherits from the root manifest, in the format of manifest.InheritedIn.
func (p *Package) Inherited() []string { return p.inherited }

// ManifestNames returns the names of the files that can define a package or its version.
func ManifestNames() []string {
	return append(slices.Clone(manifest.FileNames[:]), manifest.RecipeFile, "package.xml")
}

// At returns a copy of the workspace with another root folder, which must contain the same files.
func (w *Workspace) At(root string) *Workspace {
	moved := *w
	moved.Root = root
	return &moved
}
