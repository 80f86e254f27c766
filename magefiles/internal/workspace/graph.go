package workspace

import (
	"errors"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/dag"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Order returns the packages, dependencies first and by name where there is a choice. Requirements to run, for the host
// and to build count, whether they are pins or paths.
func (w *Workspace) Order() []*Package { return slices.Clone(w.order) }

// Levels returns the packages in groups: each needs only packages of groups before its own.
func (w *Workspace) Levels() [][]*Package { return slices.Clone(w.levels) }

// OutputDir is where artifacts go, below the root.
const OutputDir = "output"

// LockFile stands beside a manifest that was locked.
const LockFile = "pixi.lock"

// Manifests are those with a [workspace] table: the root's, and then the downstreams'.
func (w *Workspace) Manifests() []*manifest.Manifest {
	all := []*manifest.Manifest{w.Manifest}
	for _, d := range w.Downstreams {
		all = append(all, d.Manifest)
	}
	return all
}

// Package returns the package of a conda name, or an error with exit status 2 that names the known ones.
func (w *Workspace) Package(name string) (*Package, error) {
	if p := w.byName[manifest.CondaName(name)]; p != nil {
		return p, nil
	}
	var names []string
	for _, p := range w.Packages {
		names = append(names, p.Name)
	}
	return nil, operr.NewUsage(manifest.Suggest(manifest.CondaName(name), names)+"name one of them", "no package named %q; %s", name, manifest.ListNames(names))
}

// Label is the name of a downstream, with its folder where another one, or a package, is called so too.
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

// Downstream returns a downstream by its name or its folder, or an error with exit status 2 that names the known ones.
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
		return nil, operr.NewUsage("name it by its folder", "%s and %s are both called %q", named[0].Dir, named[1].Dir, name)
	}
	if len(names) == 0 {
		return nil, operr.NewUsage("leave -only out, or make one: a folder whose manifest has a [workspace] of its own, and takes these packages from the channel", "no downstream named %q, since there is none", name)
	}
	return nil, operr.NewUsage(manifest.Suggest(name, names)+"name one of them", "no downstream named %q; %s", name, manifest.ListNames(names))
}

// Dependents returns the packages that require name to run, or to be built, directly or through others, in Order.
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

// orders reports whether the requirement makes its package come after another.
func (r Requirement) orders(p *Package) bool { return r.Role.Orders() && r.Package != p.Name }

// sort sets order and levels. What only a pyproject.toml says counts too, unless it closes a circle: pip installs those.
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
	order, _ := dag.Order(needs) // Levels has found no cycle
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

// cycleError names the packages of a circle, and the place where each requires the next.
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
	return operr.New("remove one of these requirements: a package can only be built after those that it requires",
		"the packages require each other in a circle: %s (%s)", strings.Join(cycle.Path, " → "), strings.Join(places, ", "))
}
