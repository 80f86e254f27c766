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

// needs is the list of everything to install into an environment.
type needs struct {
	of *manifest.Resolved // the environment

	fromPyPI []string             // PEP 508 requirements
	packages []*workspace.Package // workspace packages installed from source
	archives []string             // files of workspace packages from the channel, used because the sources have another version; sorted
	editable []string             // absolute folders of editable path entries in pypi-dependencies
	plain    []string             // folders of other path entries in pypi-dependencies
	supply   *toolchain.Supply    // supply of the environment's downstream

	programs []program // programs on PATH used instead of conda packages
	renamed  []string  // one sentence for each project in fromPyPI with another conda name, and where the mapping comes from
	refusals []refusal // requirements that cannot be installed; if there are any, nothing is installed
}

// collect determines what to install into an environment. Workspace packages add their run requirements. Requirements that cannot be installed
// are recorded, but are not yet an error.
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

// addConda adds a conda requirement of a manifest, or of a package in it. `beside` is the pyproject.toml next to the manifest or the package.
func (e *Toolchain) addConda(ctx context.Context, n *needs, m *manifest.Manifest, beside *manifest.Project, d manifest.Dependency) error {
	if strings.EqualFold(d.Name, "python") {
		return nil // readEnvironment reads the requirement on Python
	}
	p := condanames.FindOwn(e.workspace, d)
	if p == nil {
		e.addForeign(n, d, beside)
		return nil
	}
	switch pin, exact := version.Pin(d.Spec.Text); {
	case n.takesSources():
	case n.takesChannel() && !exact:
		return operr.New("pin this package to a version, use pixi (PIPELINE_TOOLCHAIN=pixi), or pass -local to use the workspace's own packages",
			"%s: %s takes %s from the channel in the range %q, but only a solver can choose a version", d.Pos, m.Name, d.Name, d.Spec.Text)
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
		if d.Condition == "" { // conditions are evaluated only by pixi
			if err := e.addConda(ctx, n, e.workspace.Manifest, p.Project, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// takesSources reports whether workspace packages come from source, whatever versions the manifest requires.
func (n *needs) takesSources() bool { return n.supply != nil && n.supply.Sources }

// takesChannel reports whether workspace packages come from the channel, whatever versions the sources have.
func (n *needs) takesChannel() bool { return n.supply != nil && !n.supply.Sources }

// addPublished fetches a version from the channel that differs from the version in the sources. A downstream upgrades when it chooses to, so its
// tests use an older version while a new one is developed.
func (e *Toolchain) addPublished(ctx context.Context, n *needs, m *manifest.Manifest, d manifest.Dependency, have, want string) error {
	asks := fmt.Sprintf("%s: %s asks for %s %s, but the workspace has %s", d.Pos, m.Name, d.Name, d.Spec.Text, have)
	if e.published == nil {
		return operr.New("run `mage app:upgrade`", "%s", asks)
	}
	file, err := e.published(ctx, e.want(n, m, d, want))
	if err != nil && n.takesChannel() {
		return operr.New("publish this version first, set PREFIX_SERVER_URL to the server that has this version, or pass -local to use the workspace's own packages",
			"%s: %s cannot get %s %s from the channel: %w", d.Pos, m.Name, d.Name, d.Spec.Text, err)
	}
	if err != nil {
		return operr.New("check whether the channel can be reached, or run `mage app:upgrade`", "%s, and the required version cannot be fetched from the channel: %w", asks, err)
	}
	if slices.Contains(n.archives, file) {
		return nil
	}
	n.archives = append(n.archives, file)
	slices.Sort(n.archives)
	return e.addDepends(ctx, n, m, d, file)
}

// `want` returns a request for one version of a package, with the channels to try. A downstream uses its environment's channels in order, or the
// channel in the requirement. The workspace itself uses its own channel.
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

// addDepends adds the workspace packages on which an archive depends. Other dependencies are added by addThirdParty.
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
			continue // the environment's own pin adds this package
		}
		if err := e.addConda(ctx, n, m, nil, manifest.Dependency{Pos: d.Pos, Name: name, Spec: manifest.Spec{Text: spec}}); err != nil {
			return err
		}
	}
	return nil
}

// pinsFor returns an error if an archive requires a workspace package with a version range, unless the environment pins that package to a version
// in the range.
func (n *needs) pinsFor(m *manifest.Manifest, d manifest.Dependency, of condapkg.Index, name, spec string) error {
	asks := fmt.Sprintf("%s: %s takes %s %s from the channel, and this package requires %s in the range %q", d.Pos, m.Name, of.Name, of.Version, name, spec)
	for _, own := range n.of.Conda {
		pin, exact := version.Pin(own.Spec.Text)
		if !exact || manifest.CondaName(own.Name) != name {
			continue
		}
		at, err := version.Parse(pin)
		if err != nil {
			return operr.New("correct this pin", "%s: %w", own.Pos, err)
		}
		if admits, err := version.CondaRange(cmp.Or(spec, "*")); err == nil && !admits.Has(at) {
			return operr.New("pin a version in this range", "%s, but %s pins %s", asks, own.Pos, pin)
		}
		return nil
	}
	return operr.New("pin "+name+" in "+d.File+" too, use pixi (PIPELINE_TOOLCHAIN=pixi), or pass -local to use the workspace's own packages", "%s, but only a solver can choose a version", asks)
}

// addPyPI adds a requirement in [pypi-dependencies], or in [project] if the manifest is a pyproject.toml.
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

// isByPath reports whether another requirement refers to the same project by path.
func isByPath(all []manifest.Dependency, name string) bool {
	return slices.ContainsFunc(all, func(d manifest.Dependency) bool {
		return d.Spec.Path != "" && manifest.PyPIName(d.Name) == manifest.PyPIName(name)
	})
}

// hasPackage reports whether the environment already has a workspace package, from source or from the channel. If so, the package is never
// fetched from PyPI, where its name may belong to someone else.
func (n *needs) hasPackage(p *workspace.Package) bool {
	return slices.Contains(n.packages, p) || slices.ContainsFunc(n.archives, func(file string) bool {
		name, err := condapkg.ParseFileName(filepath.Base(file))
		return err == nil && name.Name == p.Name
	})
}

// writePEP508 formats an entry in [pypi-dependencies] as a PEP 508 requirement.
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
