package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/condanames"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// `names` reports the PyPI projects of the manifests' conda names, the source of each mapping, and the names without a project.
func (d Doctor) names(ctx context.Context) []Finding {
	w := d.Workspace
	names := condanames.List(w)
	by, said := map[condanames.Origin]int{}, []string{}
	var known int
	var findings []Finding
	for _, n := range names {
		if !n.Answer.Known() {
			findings = append(findings, Finding{
				What: "a PyPI project for " + n.Name,
				For:  fmt.Sprintf("the embedded toolchain, at %s: %s", n.Pos, n.Answer.Why),
				Get:  "add a line to [tool.release.pypi] of " + w.Manifest.Path + ", or use pixi",
			})
			continue
		}
		if program := n.Answer.Program; program != "" {
			findings = append(findings, d.program(ctx, Finding{
				What: "the program " + program,
				For:  fmt.Sprintf("%s at %s, which stands for this program according to %s", n.Name, n.Pos, n.Answer.WriteOrigin()),
				Get:  "install the program, or change the line of " + n.Name + " in [tool.release.pypi]",
			}, program, "--version"))
		}
		known++
		by[n.Answer.By]++
		if text := notable(n); text != "" && !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	findings = append(findings, idleLines(w, names)...)
	if known == 0 {
		return findings
	}
	var parts []string
	for _, origin := range []condanames.Origin{condanames.ByLine, condanames.ByProject, condanames.ByCorrection, condanames.ByTable} {
		if by[origin] > 0 {
			parts = append(parts, fmt.Sprintf("%d by %s", by[origin], origin))
		}
	}
	found := fmt.Sprintf("%d have a replacement without conda: %s", known, strings.Join(parts, ", "))
	if len(said) > 0 {
		found += " (" + strings.Join(said, "; ") + ")"
	}
	return append([]Finding{{What: "conda names", Found: found}}, findings...)
}

// idleLines reports the lines of [tool.release.pypi] for names that no manifest asks for: these may be misspelled.
func idleLines(w *workspace.Workspace, names []condanames.Name) (findings []Finding) {
	var all []string
	for _, n := range names {
		all = append(all, n.Name)
	}
	for _, in := range w.Config.PyPI {
		if slices.Contains(all, in.Name) {
			continue
		}
		get := "remove the line if no package on the channel depends on this name"
		if near := manifest.Nearest(in.Name, all); near != "" {
			get = "did you mean " + near + "? Otherwise " + get
		}
		findings = append(findings, Finding{What: "a requirement on " + in.Name, For: fmt.Sprintf("the line at %s of [tool.release.pypi]", in.Pos), Get: get})
	}
	return findings
}

// notable returns a sentence if a conda name is a project of another name, is a program, or is left out; "" otherwise.
func notable(n condanames.Name) string {
	switch a := n.Answer; {
	case a.LeftOut:
		return fmt.Sprintf("%s is left out by %s", n.Name, a.WriteOrigin())
	case a.Program != "":
		return fmt.Sprintf("%s is the program %s according to %s", n.Name, a.Program, a.WriteOrigin())
	case manifest.PyPIName(n.Name) != manifest.PyPIName(a.Project):
		return fmt.Sprintf("%s is %s according to %s", n.Name, a.Project, a.WriteOrigin())
	}
	return ""
}
