package commits

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Owners maps files to the packages that they belong to.
type Owners struct {
	all     []string            // names of all packages
	folders map[string][]string // packages by folder; a downstream's folder has none
	named   map[string][]string // packages by the files and folders outside of their own folders that they include
	known   map[string][]string // cached results of Of, keyed by folder
	sets    map[string][]string // interned slices, keyed by the joined names
	dirs    map[string][]string // packages by the last element of their folder and by their name, for commit scopes
}

// NewOwners computes the owners of the workspace's folders and files.
func NewOwners(w *workspace.Workspace) *Owners {
	o := &Owners{
		folders: map[string][]string{},
		named:   map[string][]string{},
		known:   map[string][]string{},
		sets:    map[string][]string{},
		dirs:    map[string][]string{},
	}
	for _, d := range w.Downstreams {
		o.folders[d.Dir] = nil
	}
	for _, p := range w.Packages {
		o.all = append(o.all, p.Name)
		for _, dir := range []string{p.Dir, p.SourceDir} {
			if dir != "" && !slices.Contains(o.folders[dir], p.Name) {
				o.folders[dir] = append(o.folders[dir], p.Name)
			}
		}
		for _, name := range []string{p.Name, strings.ToLower(path.Base(p.Dir))} {
			if !slices.Contains(o.dirs[name], p.Name) {
				o.dirs[name] = append(o.dirs[name], p.Name)
			}
		}
		for _, file := range includedPaths(w, p) {
			o.named[file] = append(o.named[file], p.Name)
		}
	}
	slices.Sort(o.all)
	return o
}

// includedPaths returns the files and folders that a package's manifests refer to outside of its own folders. It omits the root manifest, because a
// package uses only some entries of it, which are compared separately.
func includedPaths(w *workspace.Workspace, p *workspace.Package) (all []string) {
	globs := []string{}
	for _, glob := range p.Build.Python.ExtraInputGlobs {
		fixed, _, _ := strings.Cut(glob, "*")
		globs = append(globs, path.Join(p.Dir, strings.TrimSuffix(fixed, path.Base(fixed+"x"))))
	}
	for _, file := range slices.Concat(w.MadeOf(p), globs) {
		file = path.Clean(file)
		own := file == p.Dir || file == p.SourceDir || strings.HasPrefix(file, p.Dir+"/") || p.Dir == "."
		around := file == "." || strings.HasPrefix(p.Dir+"/", file+"/")
		if !own && !around && file != w.Manifest.Path && path.Base(file) != ".gitattributes" && !strings.HasPrefix(file, "../") {
			all = append(all, file)
		}
	}
	return all
}

// Of returns the packages that the files belong to, sorted. These are the packages in the nearest folder of each file, and the packages that include
// the file.
func (o *Owners) Of(files []string) []string {
	var all []string
	for _, file := range files {
		dir := path.Dir(file)
		names, ok := o.known[dir]
		if !ok {
			names = slices.Concat(o.nearest(dir), o.takers(dir))
			o.known[strings.Clone(dir)] = names
		}
		for _, names := range [][]string{names, o.named[file]} {
			for _, name := range names {
				if !slices.Contains(all, name) {
					all = append(all, name)
				}
			}
		}
	}
	return o.set(all)
}

// set sorts names and interns the result.
func (o *Owners) set(names []string) []string {
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	key := strings.Join(names, "/")
	if same, ok := o.sets[key]; ok {
		return same
	}
	o.sets[key] = names
	return names
}

func (o *Owners) nearest(dir string) []string {
	for ; ; dir = path.Dir(dir) {
		if names, ok := o.folders[dir]; ok || dir == "." {
			return names
		}
	}
}

func (o *Owners) takers(dir string) (all []string) {
	for ; dir != "."; dir = path.Dir(dir) {
		all = append(all, o.named[dir]...)
	}
	return all
}

// packagesOfScopes returns the packages that commit scopes refer to, by name or by folder.
func (o *Owners) packagesOfScopes(scopes []string) (all []string) {
	for _, scope := range scopes {
		first, _, _ := strings.Cut(scope, "/")
		for _, name := range o.dirs[manifest.CondaName(first)] {
			if !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}
