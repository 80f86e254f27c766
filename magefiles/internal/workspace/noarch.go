package workspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// NotNoarch describes a package that its manifest makes platform-specific.
type NotNoarch struct {
	Package *Package
	Pos     manifest.Pos // position of the value that makes it platform-specific
	Why     string       // reason, such as "config.noarch is false"
	Fix     string       // how to make the package noarch, if it has no compiled code
}

// Err returns the error for an attempt to publish the package: "packages/lib/pixi.toml:6:1: lib cannot be published: …".
func (n NotNoarch) Err() *operr.Error {
	return operr.New("if the package has no compiled code, "+n.Fix+"; otherwise move it to a separate workspace, and publish it with pixi from a machine of each platform (`mage build:package "+n.Package.Name+"` builds the package for this platform)",
		"%s: %s cannot be published: it is built for one platform (%s), but only noarch packages can be published, because all other packages must be built for every platform",
		n.Pos, n.Package.Name, n.Why)
}

// NotNoarch returns the packages that their manifests make platform-specific, sorted by name. For some packages the manifest is not
// enough to tell (another backend, a recipe that computes it), and only the built artifact shows it.
func (w *Workspace) NotNoarch() []NotNoarch {
	var out []NotNoarch
	for _, p := range w.Packages {
		if n, ok := p.findPlatform(); ok {
			out = append(out, n)
		}
	}
	return out
}

// compiles lists the backends that always build platform-specific packages (prefix-dev/pixi, crates/pixi_build_*).
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
		if t.Config != nil { // a target inherits the keys that it does not set
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

// configPos returns the position of a config table, or of the build table if there is no config.
func (p *Package) configPos(n *tomledit.Node) manifest.Pos {
	if n == nil || n.Line == 0 {
		return p.Build.Pos
	}
	return manifest.Pos{File: p.Build.File, Line: n.Line, Col: n.Column}
}

// explainPlatform returns why the backend builds a platform-specific package with this configuration, or "" if it builds a noarch one
// or this cannot be determined. `noarch` takes precedence over compilers, as in pixi-build-python
// (crates/pixi_build_python/src/main.rs).
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
		return fmt.Sprintf("its config names compilers: %s", join(compilers))
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
