package settings

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// StandIn is a [tool.release.pypi] entry, which replaces a conda package on machines without conda. Exactly one of Project, Program and
// LeftOut is set.
type StandIn struct {
	manifest.Pos        // position of the entry
	Name         string // the conda name, lower-cased
	Project      string // project on PyPI, as written: pytorch = "torch"
	Program      string // program that must be on PATH: nodejs = { program = "node" }
	LeftOut      bool   // make = false
}

// StandIn returns the [tool.release.pypi] entry for a conda name.
func (c Config) StandIn(conda string) (StandIn, bool) {
	i := slices.IndexFunc(c.PyPI, func(s StandIn) bool { return s.Name == manifest.CondaName(conda) })
	if i < 0 {
		return StandIn{}, false
	}
	return c.PyPI[i], true
}

var (
	condaNameForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]*$`)
	pypiNameForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)
)

const standInForms = `write name = "its-project-on-pypi", name = { program = "its-program" }, or name = false, which leaves the package out`

// readPyPI reads [tool.release.pypi].
func readPyPI(s *manifest.File, n *tomledit.Node, c *Config) {
	if !s.Want(n, tomledit.Table) {
		return
	}
	for _, e := range n.Children {
		if in, ok := readStandIn(s, e); ok {
			if other, twice := c.StandIn(in.Name); twice {
				s.FailAt(in.Pos, "keep one of the two lines", "[tool.release.pypi] has %s twice, at line %d before (names are compared in lower case)", e.Key, other.Line)
			}
			c.PyPI = append(c.PyPI, in)
		}
	}
}

// readStandIn reads one entry of [tool.release.pypi].
func readStandIn(s *manifest.File, e *tomledit.Node) (StandIn, bool) {
	in := StandIn{Pos: s.Pos(e), Name: manifest.CondaName(e.Key)}
	key := tomledit.JoinKey(e.Key)
	switch {
	case !condaNameForm.MatchString(in.Name):
		s.FailAt(in.Pos, standInForms, "%s is not the name of a conda package", key)
	case in.Name == "python":
		s.FailAt(in.Pos, "remove the line", "python is not a project of PyPI: the toolchain uses an interpreter of this machine that the manifests admit")
	case e.Is(tomledit.String):
		if in.Project = e.Text(); !pypiNameForm.MatchString(in.Project) {
			s.Fail(e, "write only the name; the version comes from the requirement", "%s cannot be %q, which is not the name of a project on PyPI", key, in.Project)
		}
	case e.Is(tomledit.Bool) && !e.True():
		in.LeftOut = true
	case e.Is(tomledit.Table):
		in.Program = readProgram(s, e, key)
	default:
		s.Fail(e, standInForms, "%s must be a string, a table with a program, or false", key)
	}
	return in, !s.Failed()
}

// readProgram reads { program = "node" }.
func readProgram(s *manifest.File, n *tomledit.Node, key string) string {
	for _, e := range n.Children {
		if e.Key == "program" {
			continue
		}
		if n.End == 0 { // ruamel.yaml = "…"
			s.FailAt(s.Pos(e), manifest.Suggest(e.Key, []string{"program"})+fmt.Sprintf("write %q if you mean a name with a dot", n.Key+"."+e.Key),
				"%s of [tool.release.pypi] has no key %s; its only key is program", key, tomledit.JoinKey(e.Key))
		}
		s.FailKey(e, key+" of [tool.release.pypi]", []string{"program"})
	}
	e := n.Get("program")
	program := s.Str(e)
	switch {
	case e == nil:
		s.Fail(n, standInForms, "%s names no program", key)
	case e.Is(tomledit.String) && (program == "" || program != filepath.Base(program) || program == "." || program == ".."):
		s.Fail(e, "write the program's name, which is searched on PATH", "program cannot be %q", program)
	}
	return program
}
