package view

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
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
	Places   []versionPlace          `json:"places,omitempty"`  // places of the package's version, if they add to the line above
	LastTag  *lastTag                `json:"lastTag,omitempty"` // set if a tool makes the version from tags, and there is a tag
}

// versionPlace is a place that has a version, or from which a tool makes the version.
type versionPlace struct {
	Source  manifest.VersionSource `json:"source"`
	Version string                 `json:"version"` // "" if the place makes the version
	Detail  string                 `json:"detail,omitempty"`
	File    string                 `json:"file"`
	Line    int                    `json:"line"`
}

// lastTag holds the version of a package that takes its version from its tag.
type lastTag struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Commit  string `json:"commit"`
}

// Versions prints a workspace's packages and downstreams, their versions, their requirements on each other, and any contradictions. `tags` holds the
// last tag of each package whose version a tool makes from tags. If no manifest has the version of such a package, the last tag's version is printed.
// If a file has a copy of the version, the last tag is printed beside the copy.
func (v *View) Versions(w *workspace.Workspace, tags []released.Release, asJSON bool) error {
	all := versions{Packages: []packageVersion{}, Downstreams: []packageVersion{}, Disagreements: w.Disagreements()}
	for _, p := range w.Packages {
		all.Packages = append(all.Packages, newPackageVersion(p, tags))
	}
	for _, d := range w.Downstreams {
		all.Downstreams = append(all.Downstreams, packageVersion{Name: d.Name(), Version: d.Manifest.Version, Manifest: d.Manifest.Path, Requires: orEmpty(d.Requires)})
	}
	all.Disagreements = orEmpty(all.Disagreements)
	if asJSON {
		return v.JSON(all)
	}
	v.versionTable("PACKAGE", all.Packages)
	v.placesTable(all.Packages)
	if len(all.Downstreams) > 0 {
		v.Line("")
		v.versionTable("DOWNSTREAM", all.Downstreams)
	}
	for i, d := range all.Disagreements {
		if i == 0 {
			v.Line("")
		}
		v.Text("%s %s: %s", v.paint(red, "✗"), d.Pos, d.Message)
		v.AnnotateAt(d.Pos.String() + ": " + d.Message)
	}
	return nil
}

func newPackageVersion(p *workspace.Package, tags []released.Release) packageVersion {
	one := packageVersion{Name: p.Name, Version: p.Version.Text, Manifest: p.Manifest, Requires: orEmpty(p.Requires)}
	for _, t := range tags {
		if t.Package == p.Name {
			one.LastTag = &lastTag{Name: t.Tag, Version: t.Version, Commit: t.Commit}
			one.Version = cmp.Or(one.Version, t.Version)
		}
	}
	if p.FromTags() == nil && !slices.ContainsFunc(p.Versions, func(v manifest.Version) bool { return v.Source == manifest.VersionEnv }) {
		return one
	}
	for _, at := range p.Versions {
		one.Places = append(one.Places, versionPlace{
			Source:  at.Source,
			Version: at.Text,
			Detail:  at.Detail,
			File:    at.Pos.File,
			Line:    at.Pos.Line,
		})
	}
	return one
}

// `says` returns the version of a place, and what kind of version it is.
func (at versionPlace) says(last *lastTag) (version, what string) {
	switch at.Source {
	case manifest.VersionTag:
		if last == nil {
			return "no tag yet", "the last tag, for " + at.Detail
		}
		return last.Name, "the last tag, for " + at.Detail
	case manifest.VersionEnv:
		return at.Version, at.Detail
	case manifest.VersionPackage, manifest.VersionWorkspace, manifest.VersionProject:
		return at.Version, "[" + string(at.Source) + "] version"
	}
	return cmp.Or(at.Version, "-"), cmp.Or(at.Detail, string(at.Source))
}

// placesTable prints the places that have or make the versions of packages, unless all of these places are manifests.
func (v *View) placesTable(rows []packageVersion) {
	var table [][]string
	for _, r := range rows {
		tagged := slices.ContainsFunc(r.Places, func(at versionPlace) bool { return at.Source == manifest.VersionTag })
		name := r.Name
		for i, at := range r.Places {
			says, what := at.says(r.LastTag)
			if at.Version != "" && (tagged || i > 0) {
				what += ", a copy"
			}
			table = append(table, []string{name, says, what, fmt.Sprintf("%s:%d", at.File, at.Line)})
			name = ""
		}
	}
	if table != nil {
		v.Line("")
		v.Table([]string{"PACKAGE", "SAYS", "BY", "WHERE"}, table)
	}
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
