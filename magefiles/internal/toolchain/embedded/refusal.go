package embedded

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// refusal is a conda requirement that cannot be installed.
type refusal struct {
	pos        manifest.Pos
	name, spec string
	why        string
	ways       string // lines for [tool.release.pypi]; "" if none would help
}

const withPixi = "use pixi instead: PIPELINE_TOOLCHAIN=pixi"

// refuse combines all refusals into one error, which lists each name once with all its positions. It returns nil if there are no refusals.
func (e *Toolchain) refuse(all []refusal) error {
	if len(all) == 0 {
		return nil
	}
	slices.SortStableFunc(all, func(a, b refusal) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.why, b.why), cmp.Compare(a.pos.File, b.pos.File), cmp.Compare(a.pos.Line, b.pos.Line))
	})
	var names, detail []string
	for i, r := range all {
		if i > 0 && r.name == all[i-1].name && r.why == all[i-1].why {
			continue
		}
		if !slices.Contains(names, r.name) {
			names = append(names, r.name)
		}
		detail = append(detail, fmt.Sprintf("%s (%s): %s", r.name, strings.Join(listPlaces(all[i:]), ", "), r.why))
		if r.ways != "" {
			detail = append(detail, "  "+r.ways)
		}
	}
	first := all[0]
	in := fmt.Sprintf("add a line to [tool.release.pypi] of %s, or ", e.workspace.Manifest.Path)
	if !slices.ContainsFunc(all, func(r refusal) bool { return r.ways != "" }) {
		in = ""
	}
	if len(names) == 1 {
		summary := operr.New(in+withPixi, "%s: the embedded toolchain cannot install %s from PyPI: %s",
			first.pos, writeAsked(first.name, first.spec), first.why)
		if len(detail) == 1 && len(listPlaces(all)) == 1 {
			return summary
		}
		return summary.WithDetail(strings.Join(detail, "\n"))
	}
	in = strings.Replace(in, "add a line", "add a line for each", 1)
	return operr.New(in+withPixi, "the embedded toolchain cannot install %d conda packages from PyPI: %s", len(names), strings.Join(names, ", ")).
		WithDetail(strings.Join(detail, "\n"))
}

// writeAsked formats a requirement for output.
func writeAsked(name, spec string) string {
	return strings.TrimSpace(name + " " + strings.TrimPrefix(spec, "*"))
}

// listPlaces returns the positions of the first refusal and of those after it with the same name and reason.
func listPlaces(all []refusal) []string {
	var out []string
	for _, r := range all {
		if r.name != all[0].name || r.why != all[0].why {
			break
		}
		if place := r.pos.String(); !slices.Contains(out, place) {
			out = append(out, place)
		}
	}
	return out
}

// refuse records a requirement that cannot be installed.
func (n *needs) refuse(d manifest.Dependency, ways, format string, args ...any) {
	n.refusals = append(n.refusals, refusal{
		pos:  d.Pos,
		name: manifest.CondaName(d.Name),
		spec: d.Spec.Text,
		why:  fmt.Sprintf(format, args...),
		ways: ways,
	})
}
