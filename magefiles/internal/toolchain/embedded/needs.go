package embedded

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/condanames"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// needs is what an environment is made of.
type needs struct {
	of *manifest.Resolved // the environment

	fromPyPI []string             // PEP 508 requirements
	packages []*workspace.Package // of the workspace, installed from their sources
	archives []string             // of the workspace, but of another version: from the channel, sorted
	editable []string             // absolute folders that pypi-dependencies name by path
	plain    []string             // the same, not editable
	supply   *toolchain.Supply    // of the downstream that the environment is of

	programs []program // on PATH, in place of conda packages
	renamed  []string  // which projects of fromPyPI have another name on conda, and who says so
	refusals []refusal // what there is no way for: nothing may be installed then
}

// collect puts together what an environment needs. Packages of the workspace bring what they need to run. What there is no
// way for is noted, and not an error yet.
func (e *Toolchain) collect(ctx context.Context, m *manifest.Manifest, r *manifest.Resolved, s *toolchain.Supply) (*needs, error) {
	n := &needs{of: r, supply: s}
	for _, d := range r.Conda {
		if err := e.addConda(ctx, n, m, condanames.FindProject(e.workspace, m), d); err != nil {
			return nil, err
		}
	}
	for _, d := range r.PyPI {
		if err := e.addPyPI(ctx, n, m, r.PyPI, d); err != nil {
			return nil, err
		}
	}
	archives, closeAll, err := openAll(n.archives)
	if err != nil {
		return nil, err
	}
	defer closeAll()
	if err := e.addThirdParty(n, archives); err != nil {
		return nil, err
	}
	slices.Sort(n.fromPyPI)
	n.fromPyPI = slices.Compact(n.fromPyPI)
	return n, nil
}

// addConda adds a conda requirement of a manifest, or of a package in it, with the pyproject.toml beside it.
func (e *Toolchain) addConda(ctx context.Context, n *needs, m *manifest.Manifest, beside *manifest.Project, d manifest.Dependency) error {
	if strings.EqualFold(d.Name, "python") {
		return nil // environmentAsks
	}
	p := condanames.FindOwn(e.workspace, d)
	if p == nil {
		e.addForeign(n, d, beside)
		return nil
	}
	switch pin, exact := version.Pin(d.Spec.Text); {
	case n.takesSources():
	case n.takesChannel() && !exact:
		return operr.New("pin it, run it with pixi, or take the workspace's own packages (-local)",
			"%s: %s takes %s from the channel by the range %q, and choosing a version is a solver's work", d.Pos, m.Name, d.Name, d.Spec.Text)
	case n.takesChannel() || exact && !version.Same(pin, p.Version.Text):
		return e.addPublished(ctx, n, m, d, p.Version.Text, pin)
	}
	if slices.Contains(n.packages, p) {
		return nil
	}
	if err := condanames.RefuseOwnBackend(e.workspace, p); err != nil {
		return err
	}
	n.packages = append(n.packages, p)
	for _, d := range p.Dependencies(manifest.RoleRun) {
		if d.Condition == "" { // what holds on one platform only is pixi's to decide
			if err := e.addConda(ctx, n, e.workspace.Manifest, p.Project, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// takesSources reports whether packages of the workspace come from its sources, whatever version is asked for.
func (n *needs) takesSources() bool { return n.supply != nil && n.supply.Sources }

// takesChannel reports whether packages of the workspace come from the channel, whatever version the sources have.
func (n *needs) takesChannel() bool { return n.supply != nil && !n.supply.Sources }

// addPublished takes a version that the workspace's sources are not at from the channel. A downstream upgrades when it
// wants to, so this is how it is tested once a new version is under way.
func (e *Toolchain) addPublished(ctx context.Context, n *needs, m *manifest.Manifest, d manifest.Dependency, have, want string) error {
	asks := fmt.Sprintf("%s: %s asks for %s %s, and the workspace has %s", d.Pos, m.Name, d.Name, d.Spec.Text, have)
	if e.published == nil {
		return operr.New("run `mage app:upgrade`", "%s", asks)
	}
	file, err := e.published(ctx, e.want(n, m, d, want))
	if err != nil && n.takesChannel() {
		return operr.New("publish it first, set PREFIX_SERVER_URL to where it is, or take the workspace's own packages (-local)",
			"%s: %s takes %s %s from the channel: %w", d.Pos, m.Name, d.Name, d.Spec.Text, err)
	}
	if err != nil {
		return operr.New("see whether the channel can be reached, or run `mage app:upgrade`", "%s, so it must come from the channel: %w", asks, err)
	}
	if slices.Contains(n.archives, file) {
		return nil
	}
	n.archives = append(n.archives, file)
	slices.Sort(n.archives)
	return e.addDepends(ctx, n, m, d, file)
}

// want returns one version of a package, from where a manifest takes it: a downstream's from the channels of the environment, in their order,
// or from the one that the requirement names; the workspace's own from its own channel.
func (e *Toolchain) want(n *needs, m *manifest.Manifest, d manifest.Dependency, version string) Wanted {
	w := Wanted{Name: manifest.CondaName(d.Name), Version: version}
	switch {
	case m == e.workspace.Manifest:
	case d.Spec.Channel != "":
		w.Channels = []string{d.Spec.Channel}
	default:
		w.Channels, w.AnyChannel = append([]string{}, n.of.Channels...), m.AnyChannel
	}
	return w
}

// addDepends adds the packages of the workspace that an archive depends on; the rest is for addThirdParty.
func (e *Toolchain) addDepends(ctx context.Context, n *needs, m *manifest.Manifest, d manifest.Dependency, file string) error {
	a, err := condapkg.Open(file)
	if err != nil {
		return err
	}
	defer a.Close()
	for _, depend := range a.Index().Depends {
		name, spec, _ := strings.Cut(depend, " ")
		if !slices.ContainsFunc(e.workspace.Packages, func(p *workspace.Package) bool { return p.Name == name }) {
			continue
		}
		if _, exact := version.Pin(spec); n.takesChannel() && !exact {
			if err := n.pinsFor(m, d, a.Index(), name, spec); err != nil {
				return err
			}
			continue // it comes by its own pin
		}
		if err := e.addConda(ctx, n, m, nil, manifest.Dependency{Pos: d.Pos, Name: name, Spec: manifest.Spec{Text: spec}}); err != nil {
			return err
		}
	}
	return nil
}

// pinsFor refuses a range by which an archive asks for a package of the workspace, unless the environment pins that, at a version which the range has.
func (n *needs) pinsFor(m *manifest.Manifest, d manifest.Dependency, of condapkg.Index, name, spec string) error {
	asks := fmt.Sprintf("%s: %s takes %s %s from the channel, which asks for %s by the range %q", d.Pos, m.Name, of.Name, of.Version, name, spec)
	for _, own := range n.of.Conda {
		pin, exact := version.Pin(own.Spec.Text)
		if !exact || manifest.CondaName(own.Name) != name {
			continue
		}
		at, err := version.Parse(pin)
		if err != nil {
			return operr.New("correct the pin", "%s: %w", own.Pos, err)
		}
		if admits, err := version.CondaRange(cmp.Or(spec, "*")); err == nil && !admits.Has(at) {
			return operr.New("pin a version that it takes", "%s, and %s pins %s", asks, own.Pos, pin)
		}
		return nil
	}
	return operr.New("pin "+name+" in "+d.File+" too, run it with pixi, or take the workspace's own packages (-local)", "%s, and choosing a version is a solver's work", asks)
}

// addPyPI adds a requirement of [pypi-dependencies], or of a [project] that is the manifest.
func (e *Toolchain) addPyPI(ctx context.Context, n *needs, m *manifest.Manifest, all []manifest.Dependency, d manifest.Dependency) error {
	if d.Spec.Path != "" {
		dir := filepath.Join(e.workspace.Root, filepath.FromSlash(path.Join(m.Dir, d.Spec.Path)))
		for _, p := range e.workspace.Packages {
			if toolchain.SourceFolder(e.workspace, p) != dir {
				continue
			}
			if err := condanames.RefuseOwnBackend(e.workspace, p); err != nil {
				return err
			}
		}
		if d.Spec.Editable {
			n.editable = append(n.editable, dir)
		} else {
			n.plain = append(n.plain, dir)
		}
		return nil
	}
	if p := condanames.FindOwnProject(e.workspace, d.Name); p != nil && !d.Spec.Source() {
		if isByPath(all, d.Name) || n.hasPackage(p) {
			return nil
		}
		if m == e.workspace.Manifest {
			return e.addConda(ctx, n, m, nil, manifest.Dependency{Pos: d.Pos, Name: p.Name, Spec: manifest.Spec{Text: d.Spec.Text}})
		}
	}
	n.fromPyPI = append(n.fromPyPI, writePEP508(d))
	return nil
}

// isByPath reports whether another requirement of the same project names its folder.
func isByPath(all []manifest.Dependency, name string) bool {
	return slices.ContainsFunc(all, func(d manifest.Dependency) bool {
		return d.Spec.Path != "" && manifest.PyPIName(d.Name) == manifest.PyPIName(name)
	})
}

// hasPackage reports whether a package of the workspace is there already, from its sources or from the channel. PyPI is never
// asked for it then: somebody else may have its name there.
func (n *needs) hasPackage(p *workspace.Package) bool {
	return slices.Contains(n.packages, p) || slices.ContainsFunc(n.archives, func(file string) bool {
		name, err := condapkg.ParseFileName(filepath.Base(file))
		return err == nil && name.Name == p.Name
	})
}

// writePEP508 writes an entry of [pypi-dependencies] as a requirement.
func writePEP508(d manifest.Dependency) string {
	s := d.Name
	if len(d.Spec.Extras) > 0 {
		s += "[" + strings.Join(d.Spec.Extras, ",") + "]"
	}
	switch {
	case d.Spec.Git != "":
		s += " @ git+" + d.Spec.Git
		if d.Spec.Ref != "" {
			s += "@" + d.Spec.Ref
		}
	case d.Spec.URL != "":
		s += " @ " + d.Spec.URL
	case d.Spec.Text != "*":
		s += d.Spec.Text
	}
	if d.Spec.Marker != "" {
		s += " ; " + d.Spec.Marker
	}
	return s
}
