package workspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// NotNoarch is a package that is built for one platform at a time, as far as its manifest tells.
type NotNoarch struct {
	Package *Package
	Pos     manifest.Pos // of what says so
	Why     string       // "config.noarch is false"
	Fix     string       // what makes the package noarch, if it has no compiled code
}

// Err says that it cannot be published: "packages/lib/pixi.toml:6:1: lib cannot be published: …".
func (n NotNoarch) Err() *operr.Error {
	return operr.New("if it has no compiled code, "+n.Fix+"; else keep it in a workspace of its own, and publish it with pixi from a machine of each platform (`mage build:package "+n.Package.Name+"` builds it here)",
		"%s: %s cannot be published: it is built for one platform (%s), and only noarch packages are published yet, since a channel would need it for every platform",
		n.Pos, n.Package.Name, n.Why)
}

// NotNoarch returns the packages that the manifests say are built for one platform at a time, by name. Where they do not
// tell (another backend, a recipe that computes it), only the built artifact does.
func (w *Workspace) NotNoarch() []NotNoarch {
	var out []NotNoarch
	for _, p := range w.Packages {
		if n, ok := p.findPlatform(); ok {
			out = append(out, n)
		}
	}
	return out
}

// compiles are backends whose packages are for one platform whatever they hold (prefix-dev/pixi, crates/pixi_build_*).
var compiles = []string{"pixi-build-cmake", "pixi-build-mojo", "pixi-build-r", "pixi-build-ros", "pixi-build-rust"}

func (p *Package) findPlatform() (NotNoarch, bool) {
	n := NotNoarch{Package: p, Pos: p.Build.Pos, Fix: "set `noarch = true` in [package.build.config] of " + p.Manifest}
	if p.Build.Backend == manifest.RecipeBackend {
		if len(p.onePlatform) == 0 {
			return n, false
		}
		first := p.onePlatform[0]
		n.Pos, n.Why = first.Pos, first.Why
		n.Fix = "set `noarch: python` or `noarch: generic` in `build` of " + first.File
		return n, true
	}
	settings := []manifest.TargetConfig{{Config: p.Build.Config, Node: p.Build.Node}}
	for _, t := range p.Build.Targets {
		if t.Config != nil { // what a target leaves out, it takes from the others
			settings = append(settings, manifest.TargetConfig{Selector: t.Selector, Config: merge(p.Build.Config, t.Config), Node: t.Node})
		}
	}
	for _, s := range settings {
		if why := p.explainPlatform(s.Config); why != "" {
			if s.Selector != "" {
				why += " for " + s.Selector
			}
			n.Pos, n.Why = p.configPos(s.Node), why
			return n, true
		}
	}
	return n, false
}

func merge(base, over map[string]any) map[string]any {
	out := map[string]any{}
	for _, m := range []map[string]any{base, over} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}

// configPos is where a configuration stands; the build table's place where there is none.
func (p *Package) configPos(n *tomledit.Node) manifest.Pos {
	if n == nil || n.Line == 0 {
		return p.Build.Pos
	}
	return manifest.Pos{File: p.Build.File, Line: n.Line, Col: n.Column}
}

// explainPlatform says why a backend of this configuration makes packages for one platform; "" where it does not, or where that is
// not known. `noarch` comes first, then compilers, as pixi-build-python has it (crates/pixi_build_python/src/main.rs).
func (p *Package) explainPlatform(config map[string]any) string {
	if noarch, said := config["noarch"].(bool); said {
		if noarch {
			return ""
		}
		return "config.noarch is false"
	}
	compilers, said := config["compilers"].([]any)
	switch {
	case slices.Contains(compiles, p.Build.Backend):
		return "by " + p.Build.Backend
	case p.Build.Backend != manifest.PythonBackend:
		return ""
	case len(compilers) > 0:
		return fmt.Sprintf("it names compilers: %s", join(compilers))
	case config["abi3"] == true:
		return "config.abi3 is true"
	case said || p.Project == nil || p.Build.Python.IgnorePyproject:
		return ""
	}
	for _, r := range p.Project.BuildRequires {
		name := manifest.PyPIName(strings.TrimSpace(r[:len(r)-len(strings.TrimLeft(r, wordBytes))]))
		if name == "maturin" || name == "setuptools-rust" { // detect_compilers_from_build_requirements
			return "it is built by " + name
		}
	}
	return ""
}

const wordBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

func join(list []any) string {
	var out []string
	for _, e := range list {
		out = append(out, fmt.Sprint(e))
	}
	return strings.Join(out, ", ")
}
