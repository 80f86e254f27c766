package view

import (
	"fmt"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// versions is the JSON form of Versions.
type versions struct {
	Packages      []packageVersion         `json:"packages"`
	Downstreams   []packageVersion         `json:"downstreams"`
	Disagreements []workspace.Disagreement `json:"disagreements"`
}

type packageVersion struct {
	Name     string                  `json:"name"`
	Version  string                  `json:"version"`
	Manifest string                  `json:"manifest"`
	Requires []workspace.Requirement `json:"requires"`
}

// Versions prints the packages and downstreams of a workspace, their versions, what they require of each other, and
// what contradicts what.
func (v *View) Versions(w *workspace.Workspace, asJSON bool) error {
	all := versions{Packages: []packageVersion{}, Downstreams: []packageVersion{}, Disagreements: w.Disagreements()}
	for _, p := range w.Packages {
		all.Packages = append(all.Packages, packageVersion{p.Name, p.Version.Text, p.Manifest, orEmpty(p.Requires)})
	}
	for _, d := range w.Downstreams {
		all.Downstreams = append(all.Downstreams, packageVersion{d.Name(), d.Manifest.Version, d.Manifest.Path, orEmpty(d.Requires)})
	}
	all.Disagreements = orEmpty(all.Disagreements)
	if asJSON {
		return v.JSON(all)
	}
	v.versionTable("PACKAGE", all.Packages)
	if len(all.Downstreams) > 0 {
		v.Line("")
		v.versionTable("DOWNSTREAM", all.Downstreams)
	}
	for i, d := range all.Disagreements {
		if i == 0 {
			v.Line("")
		}
		v.Line("%s %s: %s", v.paint(red, "✗"), d.Pos, d.Message)
	}
	return nil
}

func (v *View) versionTable(kind string, rows []packageVersion) {
	var table [][]string
	for _, r := range rows {
		version := r.Version
		if version == "" {
			version = "-"
		}
		first := []string{r.Name, version}
		for _, q := range r.Requires {
			table = append(table, append(first, q.Name+" "+orAny(q.Spec), fmt.Sprintf("%s:%d", q.File, q.Line)))
			first = []string{"", ""}
		}
		if len(r.Requires) == 0 {
			table = append(table, append(first, "", r.Manifest))
		}
	}
	v.Table([]string{kind, "VERSION", "REQUIRES", "WHERE"}, table)
}

func orAny(spec string) string {
	if spec == "" {
		return "(any)"
	}
	return spec
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
