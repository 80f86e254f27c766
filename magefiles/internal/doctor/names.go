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

// names says what the conda names of the manifests stand for on PyPI, by whose word, and which have no way.
func (d Doctor) names(ctx context.Context) []Finding {
	w := d.Workspace
	names := condanames.List(w)
	by, said := map[condanames.Origin]int{}, []string{}
	var known int
	var findings []Finding
	for _, n := range names {
		if !n.Answer.Known() {
			findings = append(findings, Finding{
				What: "a project of PyPI for " + n.Name,
				For:  fmt.Sprintf("the embedded toolchain, at %s: %s", n.Pos, n.Answer.Why),
				Get:  "add a line to [tool.release.pypi] of " + w.Manifest.Path + ", or run it with pixi",
			})
			continue
		}
		if program := n.Answer.Program; program != "" {
			findings = append(findings, d.program(ctx, Finding{
				What: "the program " + program,
				For:  fmt.Sprintf("%s at %s, as %s says", n.Name, n.Pos, n.Answer.WriteOrigin()),
				Get:  "install it, or say something else of " + n.Name + " there",
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
	found := fmt.Sprintf("%d have a way without conda: %s", known, strings.Join(parts, ", "))
	if len(said) > 0 {
		found += " (" + strings.Join(said, "; ") + ")"
	}
	return append([]Finding{{What: "conda names", Found: found}}, findings...)
}

// idleLines are the lines of [tool.release.pypi] for what no manifest asks for: their names may be slips.
func idleLines(w *workspace.Workspace, names []condanames.Name) (findings []Finding) {
	var all []string
	for _, n := range names {
		all = append(all, n.Name)
	}
	for _, in := range w.Config.PyPI {
		if slices.Contains(all, in.Name) {
			continue
		}
		get := "remove the line, if nothing that is on the channel depends on it"
		if near := manifest.Nearest(in.Name, all); near != "" {
			get = "did you mean " + near + "? Else " + get
		}
		findings = append(findings, Finding{What: "a requirement on " + in.Name, For: fmt.Sprintf("%s of [tool.release.pypi]", in.Pos), Get: get})
	}
	return findings
}

// notable is what a person would not guess: a project of another name, a program, what is left out.
func notable(n condanames.Name) string {
	switch a := n.Answer; {
	case a.LeftOut:
		return fmt.Sprintf("%s is left out by %s", n.Name, a.WriteOrigin())
	case a.Program != "":
		return fmt.Sprintf("%s is the program %s by %s", n.Name, a.Program, a.WriteOrigin())
	case manifest.PyPIName(n.Name) != manifest.PyPIName(a.Project):
		return fmt.Sprintf("%s is %s by %s", n.Name, a.Project, a.WriteOrigin())
	}
	return ""
}
