package embedded

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// needs is what an environment is made of.
type needs struct {
	python   []string             // specs on the interpreter
	fromPyPI []string             // PEP 508 requirements
	packages []*workspace.Package // of the workspace, installed from their sources
	editable []string             // absolute folders that pypi-dependencies name by path
	plain    []string             // the same, not editable
}

// collect puts together what an environment needs. Packages of the workspace bring what they need to run.
func (e *Toolchain) collect(m *workspace.Manifest, r *workspace.Resolved) (*needs, error) {
	n := &needs{}
	for _, d := range r.Conda {
		if err := e.addConda(n, m, d); err != nil {
			return nil, err
		}
	}
	for _, d := range r.PyPI {
		e.addPyPI(n, m, d)
	}
	slices.Sort(n.fromPyPI)
	n.fromPyPI = slices.Compact(n.fromPyPI)
	return n, nil
}

func (e *Toolchain) addConda(n *needs, m *workspace.Manifest, d workspace.Dependency) error {
	if strings.EqualFold(d.Name, "python") {
		n.python = append(n.python, d.Spec.Text)
		return nil
	}
	p, err := e.sibling(m, d)
	if err != nil {
		return err
	}
	if p == nil {
		requirement, err := pypiRequirement(d)
		if err == nil {
			n.fromPyPI = append(n.fromPyPI, requirement)
		}
		return err
	}
	if slices.Contains(n.packages, p) {
		return nil
	}
	n.packages = append(n.packages, p)
	for _, d := range p.Dependencies(workspace.RoleRun) {
		if d.Condition == "" { // what holds on one platform only is pixi's to decide
			if err := e.addConda(n, e.workspace.Manifest, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// sibling returns the package of the workspace that the dependency means, nil when it means a stranger's. A downstream
// asks the channel for a version; the workspace's sources stand in for it only where they are that version.
func (e *Toolchain) sibling(m *workspace.Manifest, d workspace.Dependency) (*workspace.Package, error) {
	i := slices.IndexFunc(e.workspace.Packages, func(p *workspace.Package) bool { return p.Name == strings.ToLower(d.Name) })
	if i < 0 {
		return nil, nil
	}
	p := e.workspace.Packages[i]
	if pin, exact := version.Pin(d.Spec.Text); exact && !version.Same(pin, p.Version.Text) {
		return nil, operr.New("run `mage app:upgrade`, or run it with pixi, which takes the published one: PIPELINE_TOOLCHAIN=pixi",
			"%s: %s asks for %s %s, and the workspace has %s: the embedded toolchain has no other", d.Pos, m.Name, d.Name, d.Spec.Text, p.Version.Text)
	}
	return p, nil
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
