package embedded

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// needs is what an environment is made of.
type needs struct {
	fromPyPI []string             // PEP 508 requirements
	packages []*workspace.Package // of the workspace, installed from their sources
	archives []string             // of the workspace, but of another version: from the channel, sorted
	editable []string             // absolute folders that pypi-dependencies name by path
	plain    []string             // the same, not editable
	supply   *toolchain.Supply    // of the downstream that the environment is of
}

// collect puts together what an environment needs. Packages of the workspace bring what they need to run.
func (e *Toolchain) collect(ctx context.Context, m *workspace.Manifest, r *workspace.Resolved, s *toolchain.Supply) (*needs, error) {
	n := &needs{supply: s}
	for _, d := range r.Conda {
		if err := e.addConda(ctx, n, m, d); err != nil {
			return nil, err
		}
	}
	if err := n.addThirdParty(); err != nil {
		return nil, err
	}
	for _, d := range r.PyPI {
		e.addPyPI(n, m, d)
	}
	slices.Sort(n.fromPyPI)
	n.fromPyPI = slices.Compact(n.fromPyPI)
	return n, nil
}

func (e *Toolchain) addConda(ctx context.Context, n *needs, m *workspace.Manifest, d workspace.Dependency) error {
	if strings.EqualFold(d.Name, "python") {
		return nil // environmentAsks
	}
	i := slices.IndexFunc(e.workspace.Packages, func(p *workspace.Package) bool { return p.Name == workspace.CondaName(d.Name) })
	if i < 0 {
		requirement, err := pypiRequirement(d)
		if err == nil {
			n.fromPyPI = append(n.fromPyPI, requirement)
		}
		return err
	}
	p := e.workspace.Packages[i]
	switch pin, exact := version.Pin(d.Spec.Text); {
	case n.sources():
	case n.channel() && !exact:
		return operr.New("pin it, run it with pixi, or take the workspace's own packages (-local)",
			"%s: %s takes %s from the channel by the range %q, and choosing a version is a solver's work", d.Pos, m.Name, d.Name, d.Spec.Text)
	case n.channel() || exact && !version.Same(pin, p.Version.Text):
		return e.addPublished(ctx, n, m, d, p.Version.Text, pin)
	}
	if slices.Contains(n.packages, p) {
		return nil
	}
	n.packages = append(n.packages, p)
	for _, d := range p.Dependencies(workspace.RoleRun) {
		if d.Condition == "" { // what holds on one platform only is pixi's to decide
			if err := e.addConda(ctx, n, e.workspace.Manifest, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *needs) sources() bool { return n.supply != nil && n.supply.Sources }

func (n *needs) channel() bool { return n.supply != nil && !n.supply.Sources }

// addPublished takes a version that the workspace's sources are not at from the channel. A downstream upgrades when it
// wants to, so this is how it is tested once a new version is under way.
func (e *Toolchain) addPublished(ctx context.Context, n *needs, m *workspace.Manifest, d workspace.Dependency, have, want string) error {
	asks := fmt.Sprintf("%s: %s asks for %s %s, and the workspace has %s", d.Pos, m.Name, d.Name, d.Spec.Text, have)
	if e.published == nil {
		return operr.New("run `mage app:upgrade`", "%s", asks)
	}
	file, err := e.published(ctx, workspace.CondaName(d.Name), want)
	if err != nil && n.channel() {
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

// addDepends adds the packages of the workspace that an archive depends on; the rest is for addThirdParty.
func (e *Toolchain) addDepends(ctx context.Context, n *needs, m *workspace.Manifest, d workspace.Dependency, file string) error {
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
		if err := e.addConda(ctx, n, m, workspace.Dependency{Pos: d.Pos, Name: name, Spec: workspace.Spec{Text: spec}}); err != nil {
			return err
		}
	}
	return nil
}

// addThirdParty adds what the archives depend on.
func (n *needs) addThirdParty() error {
	archives, closeAll, err := openAll(n.archives)
	if err != nil {
		return err
	}
	defer closeAll()
	requirements, err := thirdParty(archives)
	n.fromPyPI = append(n.fromPyPI, requirements...)
	return err
}

func (e *Toolchain) addPyPI(n *needs, m *workspace.Manifest, d workspace.Dependency) {
	if d.Spec.Path != "" {
		dir := filepath.Join(e.workspace.Root, filepath.FromSlash(path.Join(m.Dir, d.Spec.Path)))
		if d.Spec.Editable {
			n.editable = append(n.editable, dir)
		} else {
			n.plain = append(n.plain, dir)
		}
		return
	}
	n.fromPyPI = append(n.fromPyPI, pep508(d))
}

// pep508 writes an entry of [pypi-dependencies] as a requirement.
func pep508(d workspace.Dependency) string {
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
