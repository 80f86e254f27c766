package workspace

import (
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/workspace/named"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Sources are the folders that packages are made of, and those that the manifests name by a path, relative to the workspace's
// root. One that begins with ".." is outside of it.
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

// NamedFiles are a package's readme and licenses, and all else that its manifests name by a path to have it read. What a folder of code
// holds is not among them.
func (p *Package) NamedFiles() []named.File { return p.named }

// Inherited are what a package takes from the root manifest, as manifest.InheritedIn names it.
func (p *Package) Inherited() []string { return p.inherited }

// ManifestNames are the names of files that say that there is a package, or what its version is.
func ManifestNames() []string {
	return append(slices.Clone(manifest.FileNames[:]), manifest.RecipeFile, "package.xml")
}

// At is the workspace in another folder that has the same files.
func (w *Workspace) At(root string) *Workspace {
	moved := *w
	moved.Root = root
	return &moved
}
