package workspace

import (
	"path"
	"slices"
)

// MadeOf are the files and folders, there or not, that say what the bytes of a package are, relative to the root: its sources, the
// files out of these that its manifests name (a readme, licenses), the root manifest where it takes something from there, and the
// .gitattributes by which git writes all of these to the disk. A path may begin with "..".
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
