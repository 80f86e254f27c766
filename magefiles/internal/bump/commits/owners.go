package commits

import (
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Owners know which packages a file is a part of.
type Owners struct {
	all     []string            // the names of all packages
	folders map[string][]string // packages by folder; none for a downstream's
	named   map[string][]string // packages by a file or a folder out of theirs that they take in
	known   map[string][]string // by folder, what Of was asked
	sets    map[string][]string // one slice for each set of packages
	dirs    map[string][]string // packages by the last part of their folder, and by their name: what a scope may say
}

// NewOwners says which folder is whose.
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
		for _, file := range takenIn(w, p) {
			o.named[file] = append(o.named[file], p.Name)
		}
	}
	slices.Sort(o.all)
	return o
}

// takenIn are the files and folders out of a package's folders that its manifests name. The root manifest is not among them: which of
// its lines a package takes is another question.
func takenIn(w *workspace.Workspace, p *workspace.Package) (all []string) {
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

// Of returns the packages that some files are a part of, sorted: those of the nearest folder of each, and those that take it in.
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

// set sorts names, and returns the same slice for the same ones.
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

// scoped returns the packages that scopes name, by their names or their folders.
func (o *Owners) scoped(scopes []string) (all []string) {
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
