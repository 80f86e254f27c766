package workspace

import (
	"path"
	"slices"
)

// MadeOf returns the files and folders that determine a package's contents, relative to the root, whether or not they exist: its
// sources, other files that its manifests refer to (a readme, licenses), the root manifest if the package inherits from it, and each
// .gitattributes that affects how git checks these files out. A path may begin with "..".
func (w *Workspace) MadeOf(p *Package) (all []string) {
	add := func(file string) {
		if !slices.Contains(all, file) {
			all = append(all, file)
		}
	}
	for _, dir := range p.Sources() {
		add(dir)
	}
	for _, n := range p.named {
		if file := n.Folder(); file != "" {
			add(file)
		}
	}
	if p.inherits {
		add(w.Manifest.Path)
	}
	for _, file := range slices.Clone(all) {
		for dir := path.Dir(file); ; dir = path.Dir(dir) {
			add(path.Join(dir, ".gitattributes"))
			if dir == "." || dir == "/" || path.Base(dir) == ".." {
				break
			}
		}
	}
	return all
}
