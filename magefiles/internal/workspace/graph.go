package workspace

import (
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/dag"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Order returns the packages with dependencies first, and otherwise by name. Run, host and build requirements count, whether they are
// pins or paths.
func (w *Workspace) Order() []*Package { return slices.Clone(w.order) }

// Levels returns the packages in groups. A package depends only on packages in earlier groups.
func (w *Workspace) Levels() [][]*Package { return slices.Clone(w.levels) }

// OutputDir is the folder for artifacts, below the root.
const OutputDir = "output"

// LockFile is the name of the lock file beside a manifest.
const LockFile = "pixi.lock"

// Manifests returns the manifests that have a [workspace] table: the root manifest, then those of the downstreams.
func (w *Workspace) Manifests() []*manifest.Manifest {
	all := []*manifest.Manifest{w.Manifest}
	for _, d := range w.Downstreams {
		all = append(all, d.Manifest)
	}
	return all
}

// Package returns the package with the given conda name. If there is none, the error has exit status 2 and lists the existing packages.
func (w *Workspace) Package(name string) (*Package, error) {
	if p := w.byName[manifest.CondaName(name)]; p != nil {
		return p, nil
	}
	var names []string
	for _, p := range w.Packages {
		names = append(names, p.Name)
	}
	return nil, operr.NewUsage(manifest.Suggest(manifest.CondaName(name), names)+"name one of these packages", "no package named %q; %s", name, manifest.ListNames(names))
}

// Label returns the name of a downstream, followed by its folder if another downstream or a package has the same name.
func (w *Workspace) Label(d *Downstream) string {
	for _, other := range w.Downstreams {
		if other != d && other.Name() == d.Name() {
			return d.Name() + " (" + d.Dir + ")"
		}
	}
	if w.byName[d.Name()] != nil {
		return d.Name() + " (" + d.Dir + ")"
	}
	return d.Name()
}

// Downstream returns the downstream with the given name or folder. If there is none, the error has exit status 2 and lists the existing
// downstreams.
func (w *Workspace) Downstream(name string) (*Downstream, error) {
	var names []string
	var named []*Downstream
	for _, d := range w.Downstreams {
		if d.Dir == strings.TrimSuffix(name, "/") {
			return d, nil
		}
		if d.Name() == name {
			named = append(named, d)
		}
		names = append(names, d.Name())
	}
	switch len(named) {
	case 1:
		return named[0], nil
	case 0:
	default:
		return nil, operr.NewUsage("name the downstream by its folder", "the downstreams %s and %s are both named %q", named[0].Dir, named[1].Dir, name)
	}
	if len(names) == 0 {
		return nil, operr.NewUsage("omit -only, or make a downstream: a folder whose manifest has its own [workspace] and takes these packages from the channel", "no downstream named %q: this workspace has no downstream", name)
	}
	return nil, operr.NewUsage(manifest.Suggest(name, names)+"name one of these downstreams", "no downstream named %q; %s", name, manifest.ListNames(names))
}

// Dependents returns the packages that directly or indirectly require `name` at run time or build time, in the order of Order.
func (w *Workspace) Dependents(name string) []*Package {
	reached := map[string]bool{manifest.CondaName(name): true}
	var out []*Package
	for _, p := range w.order {
		if reached[p.Name] {
			continue
		}
		if slices.ContainsFunc(p.Requires, func(r Requirement) bool { return r.orders(p) && reached[r.Package] }) {
			reached[p.Name] = true
			out = append(out, p)
		}
	}
	return out
}

// orders reports whether the requirement forces p to be built after the required package.
func (r Requirement) orders(p *Package) bool { return r.Role.Orders() && r.Package != p.Name }

// sort sets order and levels. Requirements that are only in a pyproject.toml count too, unless they form a cycle: pip can install
// packages that require each other.
func (w *Workspace) sort() error {
	levels, err := dag.Levels(w.needs(func(Requirement) bool { return true }))
	if err != nil {
		onlyConda := w.needs(func(r Requirement) bool { return r.Kind == manifest.Conda })
		if levels, err = dag.Levels(onlyConda); err != nil {
			return w.cycleError(err)
		}
		w.order = w.inOrder(onlyConda)
	} else {
		w.order = w.inOrder(w.needs(func(Requirement) bool { return true }))
	}
	for _, names := range levels {
		w.levels = append(w.levels, w.lookUp(names))
	}
	return nil
}

func (w *Workspace) inOrder(needs map[string][]string) []*Package {
	order, _ := dag.Order(needs) // cannot fail: Levels found no cycle
	return w.lookUp(order)
}

func (w *Workspace) lookUp(names []string) []*Package {
	out := make([]*Package, len(names))
	for i, name := range names {
		out[i] = w.byName[name]
	}
	return out
}

func (w *Workspace) needs(counts func(Requirement) bool) map[string][]string {
	needs := make(map[string][]string, len(w.Packages))
	for _, p := range w.Packages {
		needs[p.Name] = nil
		for _, r := range p.Requires {
			if r.orders(p) && counts(r) {
				needs[p.Name] = append(needs[p.Name], r.Package)
			}
		}
	}
	return needs
}

// cycleError returns an error that lists the packages in a cycle, and where each one requires the next.
func (w *Workspace) cycleError(err error) error {
	var cycle *dag.CycleError[string]
	if !errors.As(err, &cycle) {
		return err
	}
	var places []string
	for i, name := range cycle.Path[:len(cycle.Path)-1] {
		p := w.byName[name]
		for _, r := range p.Requires {
			if r.orders(p) && r.Kind == manifest.Conda && r.Package == cycle.Path[i+1] {
				places = append(places, r.Pos.String())
				break
			}
		}
	}
	return operr.New("remove one of these requirements: a package can only be built after the packages that it requires",
		"the packages require each other in a circle: %s (%s)", strings.Join(cycle.Path, " → "), strings.Join(places, ", "))
}
