// Package condanames says what a conda name stands for where there is no conda: a project of PyPI, a program on PATH, nothing, or a package
// of the workspace. It reads manifests and tables alone; nothing is asked, installed or run.
//
//	names.go         what a requirement stands for, and who says so ([Find])
//	list.go          all names that a workspace asks for ([List])
//	ours.go          which names are packages of the workspace, that PyPI is never asked for
//	requirements.go  a conda requirement in the words of PEP 440 and 508
package condanames

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/condapypi"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// Origin is who says what a conda name stands for.
type Origin string

// The origins, in the order in which they are asked.
const (
	ByLine       Origin = "[tool.release.pypi]"
	ByProject    Origin = "a pyproject.toml"
	ByCorrection Origin = "the corrections of the table"
	ByTable      Origin = "the table of conda-forge's names"
)

// Answer is what is installed for a conda requirement where there is no conda. Where none of Project, Program and LeftOut
// is set there is no way, and Why says so.
type Answer struct {
	Project string // on PyPI
	Program string // that PATH must have
	LeftOut bool
	By      Origin       // who says so; "" where nobody knows the name
	Pos     manifest.Pos // where, for a line and for a pyproject.toml
	Why     string       // the reason of a correction, or why there is no way
}

// Known reports whether there is a way.
func (a Answer) Known() bool { return a.Project != "" || a.Program != "" || a.LeftOut }

// WriteOrigin writes who says it, for people: "[tool.release.pypi] (pixi.toml:40:1)".
func (a Answer) WriteOrigin() string {
	switch {
	case a.By == ByProject:
		return a.Pos.String()
	case a.Pos != manifest.Pos{}:
		return fmt.Sprintf("%s (%s)", a.By, a.Pos)
	case a.By == ByCorrection:
		return string(a.By) + ": " + a.Why
	}
	return string(a.By)
}

// Find finds out what a conda requirement stands for. A name that both worlds have is one project only by luck, so somebody
// has to say it: a line of [tool.release.pypi]; the pyproject.toml beside the requirement (nil where there is none), which
// requires the project; or package condapypi. Only lines and pyproject.toml speak for another channel than conda-forge.
func Find(w *workspace.Workspace, d manifest.Dependency, beside *manifest.Project) Answer {
	name := manifest.CondaName(d.Name)
	if in, ok := w.Config.StandIn(name); ok {
		return Answer{Project: in.Project, Program: in.Program, LeftOut: in.LeftOut, By: ByLine, Pos: in.Pos}
	}
	if pos, ok := beside.RequiresLike(name); ok {
		return Answer{Project: manifest.PyPIName(name), By: ByProject, Pos: pos}
	}
	if channel := path.Base(strings.TrimRight(d.Spec.Channel, "/")); d.Spec.Channel != "" && !slices.Contains(publicChannels, channel) {
		return Answer{Why: fmt.Sprintf("it is of the channel %s, whose packages are not in the table of conda-forge's names", d.Spec.Channel)}
	}
	row, ok := condapypi.Lookup(name)
	a := Answer{Project: row.Project, By: ByTable, Why: row.Reason}
	switch {
	case !ok:
		return Answer{Why: "the table of conda-forge's names does not have it, and " + saySilence(beside) + suggestName(w, name)}
	case row.Reason != "":
		a.By = ByCorrection
	}
	if a.Project == "" {
		a.Why = fmt.Sprintf("it is on conda only (%s)", a.WriteOrigin())
	}
	return a
}

// saySilence says that nothing beside a requirement requires the project.
func saySilence(beside *manifest.Project) string {
	if beside == nil {
		return "there is no pyproject.toml beside it that requires it"
	}
	return beside.Path + " does not require it"
}

// publicChannels give their packages the names that conda-forge has for them.
var publicChannels = []string{"conda-forge", "defaults", "main", "anaconda", "pytorch", "nvidia"}

// suggestName writes a question for a name that is close to one that nobody knows.
func suggestName(w *workspace.Workspace, name string) string {
	var lines, all []string
	for _, in := range w.Config.PyPI {
		lines = append(lines, in.Name)
	}
	if near := manifest.Nearest(name, lines); near != "" {
		return fmt.Sprintf(" ([tool.release.pypi] has %s: is that meant?)", near)
	}
	for conda := range condapypi.Rows() { // of thousands, many are near: a slip seldom changes the first letter, or the length by more than one
		if strings.HasPrefix(name, conda[:1]) && max(len(conda)-len(name), len(name)-len(conda)) <= 1 {
			all = append(all, conda)
		}
	}
	if near := manifest.Nearest(name, all); near != "" {
		return fmt.Sprintf(" (there is %s: is that meant?)", near)
	}
	return ""
}

// programs are those of conda packages that are programs, where the two have different names.
var programs = map[string]string{
	"nodejs": "node", "openjdk": "java", "rust": "cargo", "graphviz": "dot", "imagemagick": "magick", "ripgrep": "rg", "fd-find": "fd",
	"postgresql": "psql", "texlive-core": "latex", "gcc": "gcc", "go-task": "task", "protobuf": "protoc", "libprotobuf": "protoc",
}

// SuggestLines writes the lines of [tool.release.pypi] that a name without a way may get, the likelier first.
func SuggestLines(a Answer, name string) string {
	key, program := name, name
	if strings.Contains(name, ".") {
		key = `"` + name + `"`
	}
	if p := programs[name]; p != "" {
		program = p
	}
	asProject := fmt.Sprintf(`%s = "%s", where that is the project on PyPI`, key, manifest.PyPIName(name))
	asProgram := fmt.Sprintf(`%s = { program = "%s" }, for one on PATH`, key, program)
	if a.By != "" {
		asProject = fmt.Sprintf(`%s = "…", the project on PyPI if there is one`, key)
		return asProgram + "; " + key + " = false, which leaves it out; " + asProject
	}
	return asProject + "; " + asProgram + "; " + key + " = false, which leaves it out"
}
