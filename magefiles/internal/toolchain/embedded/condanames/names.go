// Package condanames determines what to use instead of a conda package on a machine without conda: a PyPI project, a program on PATH, nothing, or
// a package of the workspace. It only reads manifests and tables. It does not use the network or run programs.
//
//	names.go         finds the replacement for a requirement, and the source of this answer ([Find])
//	list.go          lists all conda names that a workspace requires ([List])
//	ours.go          recognizes packages of the workspace, which are never fetched from PyPI
//	requirements.go  converts a conda requirement to PEP 440 and PEP 508
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

// Origin is the source of an answer.
type Origin string

// The origins, in order of precedence.
const (
	ByLine       Origin = "[tool.release.pypi]"
	ByProject    Origin = "a pyproject.toml"
	ByCorrection Origin = "the corrections of the table"
	ByTable      Origin = "the table of conda-forge's names"
)

// Answer describes what is installed for a conda requirement without conda. If none of Project, Program and LeftOut is set, it cannot be
// installed, and Why is the reason.
type Answer struct {
	Project string // PyPI project
	Program string // program that must be on PATH
	LeftOut bool
	By      Origin       // source of the answer; "" if the name is unknown
	Pos     manifest.Pos // position of the line in [tool.release.pypi] or in pyproject.toml
	Why     string       // reason for a correction, or why there is no answer
}

// Known reports whether the requirement can be installed.
func (a Answer) Known() bool { return a.Project != "" || a.Program != "" || a.LeftOut }

// WriteOrigin formats the source of an answer for output: "[tool.release.pypi] (pixi.toml:40:1)".
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

// Find returns what to install for a conda requirement. A PyPI project with the same name may be unrelated, so the mapping must be confirmed by a
// line in [tool.release.pypi], by the pyproject.toml `beside` the requirement, which may be nil, or by package condapypi. For packages from channels
// other than conda-forge, package condapypi is not used.
func Find(w *workspace.Workspace, d manifest.Dependency, beside *manifest.Project) Answer {
	name := manifest.CondaName(d.Name)
	if in, ok := w.Config.StandIn(name); ok {
		return Answer{Project: in.Project, Program: in.Program, LeftOut: in.LeftOut, By: ByLine, Pos: in.Pos}
	}
	if pos, ok := beside.RequiresLike(name); ok {
		return Answer{Project: manifest.PyPIName(name), By: ByProject, Pos: pos}
	}
	if channel := path.Base(strings.TrimRight(d.Spec.Channel, "/")); d.Spec.Channel != "" && !slices.Contains(publicChannels, channel) {
		return Answer{Why: fmt.Sprintf("it comes from the channel %s, whose packages are not in the table of conda-forge's names", d.Spec.Channel)}
	}
	row, ok := condapypi.Lookup(name)
	a := Answer{Project: row.Project, By: ByTable, Why: row.Reason}
	switch {
	case !ok:
		return Answer{Why: "the table of conda-forge's names does not have this name, and " + saySilence(beside) + suggestName(w, name)}
	case row.Reason != "":
		a.By = ByCorrection
	}
	if a.Project == "" {
		a.Why = fmt.Sprintf("it is on conda only (%s)", a.WriteOrigin())
	}
	return a
}

// saySilence returns a phrase stating that no pyproject.toml next to the requirement requires the project.
func saySilence(beside *manifest.Project) string {
	if beside == nil {
		return "no pyproject.toml beside the manifest requires the project"
	}
	return beside.Path + " does not require the project"
}

// publicChannels lists channels that use the same package names as conda-forge.
var publicChannels = []string{"conda-forge", "defaults", "main", "anaconda", "pytorch", "nvidia"}

// suggestName returns a "did you mean" question for an unknown name, if a similar one exists.
func suggestName(w *workspace.Workspace, name string) string {
	var lines, all []string
	for _, in := range w.Config.PyPI {
		lines = append(lines, in.Name)
	}
	if near := manifest.Nearest(name, lines); near != "" {
		return fmt.Sprintf(" (did you mean %s of [tool.release.pypi]?)", near)
	}
	for conda := range condapypi.Rows() { // compare only likely typos: same first letter, similar length
		if strings.HasPrefix(name, conda[:1]) && max(len(conda)-len(name), len(name)-len(conda)) <= 1 {
			all = append(all, conda)
		}
	}
	if near := manifest.Nearest(name, all); near != "" {
		return fmt.Sprintf(" (did you mean %s?)", near)
	}
	return ""
}

// programs maps conda packages to the programs that they provide, if the names differ.
var programs = map[string]string{
	"nodejs": "node", "openjdk": "java", "rust": "cargo", "graphviz": "dot", "imagemagick": "magick", "ripgrep": "rg", "fd-find": "fd",
	"postgresql": "psql", "texlive-core": "latex", "gcc": "gcc", "go-task": "task", "protobuf": "protoc", "libprotobuf": "protoc",
}

// SuggestLines returns lines for [tool.release.pypi] that could resolve an unknown name, most likely first.
func SuggestLines(a Answer, name string) string {
	key, program := name, name
	if strings.Contains(name, ".") {
		key = `"` + name + `"`
	}
	if p := programs[name]; p != "" {
		program = p
	}
	asProject := fmt.Sprintf(`%s = "%s", if this is the project on PyPI`, key, manifest.PyPIName(name))
	asProgram := fmt.Sprintf(`%s = { program = "%s" }, for a program on PATH`, key, program)
	if a.By != "" {
		asProject = fmt.Sprintf(`%s = "…", with the project on PyPI if there is one`, key)
		return asProgram + "; " + key + " = false, to leave the package out; " + asProject
	}
	return asProject + "; " + asProgram + "; " + key + " = false, to leave the package out"
}
