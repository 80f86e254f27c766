package workspace

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// StandIn says what takes the place of a conda package where there is no conda: a line of [tool.release.pypi]. Exactly one
// of Project, Program and LeftOut is set.
type StandIn struct {
	Pos            // of the line
	Name    string // the conda name, lower-cased
	Project string // on PyPI, as written: pytorch = "torch"
	Program string // that PATH must have: nodejs = { program = "node" }
	LeftOut bool   // make = false
}

// StandIn returns the line of [tool.release.pypi] for a conda name.
func (c Config) StandIn(conda string) (StandIn, bool) {
	i := slices.IndexFunc(c.PyPI, func(s StandIn) bool { return s.Name == CondaName(conda) })
	if i < 0 {
		return StandIn{}, false
	}
	return c.PyPI[i], true
}

var (
	condaNameForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)
	pypiNameForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
)

const standInForms = `write name = "its-project-on-pypi", name = { program = "its-program" }, or name = false, which leaves it out`

// readPyPI reads [tool.release.pypi].
func (s *source) readPyPI(n *tomledit.Node, c *Config) {
	if !s.want(n, tomledit.Table) {
		return
	}
	for _, e := range n.Children {
		if in, ok := s.readStandIn(e); ok {
			if other, twice := c.StandIn(in.Name); twice {
				s.problemAt(in.Pos, "keep one of the two", "[tool.release.pypi] has %s twice, at line %d before, and names compare lower-cased", e.Key, other.Line)
			}
			c.PyPI = append(c.PyPI, in)
		}
	}
}

// readStandIn reads one line.
func (s *source) readStandIn(e *tomledit.Node) (StandIn, bool) {
	in := StandIn{Pos: s.pos(e), Name: CondaName(e.Key)}
	key := tomledit.JoinKey(e.Key)
	switch {
	case !condaNameForm.MatchString(in.Name):
		s.problemAt(in.Pos, standInForms, "%s is not the name of a conda package", key)
	case in.Name == "python":
		s.problemAt(in.Pos, "remove the line", "python is not a project: the toolchain takes an interpreter of this machine that the manifests admit")
	case e.Is(tomledit.String):
		if in.Project = e.Text(); !pypiNameForm.MatchString(in.Project) {
			s.fail(e, "give it the name alone; the version is that of the requirement", "%s cannot be %q, which is not the name of a project on PyPI", key, in.Project)
		}
	case e.Is(tomledit.Bool) && !e.True():
		in.LeftOut = true
	case e.Is(tomledit.Table):
		in.Program = s.readProgram(e, key)
	default:
		s.fail(e, standInForms, "%s must be a string, a table with a program, or false", key)
	}
	return in, s.problem == nil
}

// readProgram reads { program = "node" }.
func (s *source) readProgram(n *tomledit.Node, key string) string {
	for _, e := range n.Children {
		if e.Key == "program" {
			continue
		}
		if n.End == 0 { // ruamel.yaml = "…"
			s.problemAt(s.pos(e), didYouMean(e.Key, []string{"program"})+fmt.Sprintf("write %q where a name with a dot is meant", n.Key+"."+e.Key),
				"%s of [tool.release.pypi] has no key %s; there is only program", key, tomledit.JoinKey(e.Key))
		}
		s.failKey(e, key+" of [tool.release.pypi]", []string{"program"})
	}
	e := n.Get("program")
	program := s.str(e)
	switch {
	case e == nil:
		s.fail(n, standInForms, "%s names no program", key)
	case e.Is(tomledit.String) && (program == "" || program != filepath.Base(program) || program == "." || program == ".."):
		s.fail(e, "give it the program's name, which is looked for on PATH", "program cannot be %q", program)
	}
	return program
}

// checkPyPI refuses a line for a package of the workspace: it is made of its sources, or comes from its channel.
func (l *loader) checkPyPI(w *Workspace) {
	for _, in := range w.Config.PyPI {
		if p := w.byName[in.Name]; p != nil {
			l.root.problemAt(in.Pos, "remove the line", "%s is a package of this workspace (%s), and never one of PyPI", p.Name, p.Manifest)
		}
		for _, p := range w.Packages {
			if in.Project != "" && p.PyPIName != "" && PyPIName(p.PyPIName) == PyPIName(in.Project) {
				l.root.problemAt(in.Pos, "require "+p.Name+" instead, and remove the line", "%s cannot be %q, which is a package of this workspace (%s)", in.Name, in.Project, p.Manifest)
			}
		}
	}
	l.keep(l.root)
}

// RequiresLike reports where a pyproject.toml requires the project of PyPI that is named like a conda package, in any of its
// lists. What it takes from elsewhere (an address, git, a path, another index, [tool.uv.sources]) is not that of PyPI.
func (p *Project) RequiresLike(conda string) (Pos, bool) {
	if p == nil {
		return Pos{}, false
	}
	name := PyPIName(conda)
	if slices.Contains(p.Elsewhere, name) {
		return Pos{}, false
	}
	for _, d := range p.Dependencies {
		raw, _ := d.Spec.Raw.(map[string]any)
		if PyPIName(d.Name) == name && !d.Spec.Source() && d.Spec.Index == "" && raw["source"] == nil {
			return d.Pos, true
		}
	}
	return Pos{}, false
}

// elsewhere are the projects that uv is told to take from elsewhere than from PyPI.
func elsewhere(root *tomledit.Node) []string {
	var names []string
	for _, e := range root.Get("tool", "uv", "sources").Members() {
		names = append(names, PyPIName(e.Key))
	}
	return names
}
