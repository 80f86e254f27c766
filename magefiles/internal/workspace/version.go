package workspace

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// textReader reads a file that is no TOML, and says which one it is behind symlinks.
type textReader func(name string) (real string, src []byte, err error)

// projectVersion finds out what a pyproject.toml says of its version: a text, who makes it, or nothing.
func (s *source) projectVersion(p *Project, readText textReader) Version {
	root := s.doc.Root
	written := root.Get("tool", "poetry", "version")
	if poetryReplaces(root) {
		written = nil
	}
	for _, n := range []*tomledit.Node{root.Get("project", "version"), written} {
		if n != nil {
			return Version{Text: s.str(n), Source: VersionProject, Pos: s.valuePos(n), Node: n}
		}
	}
	project := root.Get("project")
	if slices.Contains(p.Dynamic, "version") || poetryReplaces(root) {
		return s.dynamicVersion(p, readText)
	}
	if project == nil { // the rest is in setup.py or setup.cfg
		if v := s.dynamicVersion(p, readText); v.Source == VersionTag {
			return v
		}
	}
	return Version{Source: VersionMissing, Pos: s.pos(project)}
}

// dynamicVersion finds out who makes a version that no text says.
func (s *source) dynamicVersion(p *Project, readText textReader) Version {
	root := s.doc.Root
	v := Version{Source: VersionDynamic, Detail: p.BuildBackend, Pos: s.pos(root.Get("project", "dynamic"))}
	tool := root.Get("tool")
	if hatch := tool.Get("hatch", "version"); hatch != nil {
		return s.hatchVersion(v, hatch, readText)
	}
	for _, d := range dynamicVersions {
		if n := tool.Get(d.keys...); n != nil && (d.value == "" || n.Text() == d.value) {
			v.Source, v.Detail, v.Pos = d.source, d.detail, s.pos(n)
			if attr := n.Get("attr"); attr != nil {
				v.Detail += " attr " + attr.Text()
			}
			return v
		}
	}
	for _, d := range s.projectDeps(root) {
		if name := PyPIName(d.Name); d.Role == RoleBuild && slices.Contains(taggers, name) {
			return Version{Source: VersionTag, Detail: name, Pos: d.Pos}
		}
	}
	return v
}

// taggers are build requirements that make the version from tags, where no table says more.
var taggers = []string{
	"flit-scm", "hatch-vcs", "pbr", "setuptools-git-versioning", "setuptools-scm", "uv-dynamic-versioning", "vcs-versioning", "versioneer", "versioningit",
}

// poetryReplaces reports whether the build puts the version of a tag in place of that of [tool.poetry]: poetry wants one to be written
// there, and "0.0.0" is what poetry-dynamic-versioning asks for.
func poetryReplaces(root *tomledit.Node) bool {
	return root.Get("tool", "poetry-dynamic-versioning", "enable").True() &&
		strings.HasPrefix(root.Get("build-system", "build-backend").Text(), "poetry_dynamic_versioning")
}

// dynamicVersions are the tables by which a tool is known to make the version, and where it takes it from.
var dynamicVersions = []struct {
	keys   []string
	value  string // of a string; "" for any
	source VersionSource
	detail string
}{
	{[]string{"setuptools_scm"}, "", VersionTag, "setuptools-scm"},
	{[]string{"setuptools-scm"}, "", VersionTag, "setuptools-scm"},
	{[]string{"versioningit"}, "", VersionTag, "versioningit"},
	{[]string{"versioneer"}, "", VersionTag, "versioneer"},
	{[]string{"setuptools-git-versioning"}, "", VersionTag, "setuptools-git-versioning"},
	{[]string{"poetry-dynamic-versioning"}, "", VersionTag, "poetry-dynamic-versioning"},
	{[]string{"pdm", "version", "source"}, "scm", VersionTag, "pdm"},
	{[]string{"pdm", "version"}, "", VersionDynamic, "pdm"},
	{[]string{"setuptools", "dynamic", "version"}, "", VersionDynamic, "setuptools"},
	{[]string{"scikit-build", "metadata", "version", "provider"}, "scikit_build_core.metadata.setuptools_scm", VersionTag, "scikit-build-core with setuptools-scm"},
	{[]string{"scikit-build", "metadata", "version"}, "", VersionDynamic, "scikit-build-core"},
	{[]string{"maturin"}, "", VersionDynamic, "maturin, from Cargo.toml"},
	{[]string{"flit"}, "", VersionDynamic, "flit, from __version__"},
}

// hatchPattern is the default of hatch's regex source, without its back reference.
var hatchPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:__version__|VERSION)(?: ?: ?str)? *= *(?:"v?([^"\n]+)"|'v?([^'\n]+)')`)
})

// hatchVersion reads [tool.hatch.version]: a version control system, a literal in a file, or something else.
func (s *source) hatchVersion(v Version, hatch *tomledit.Node, readText textReader) Version {
	v.Pos, v.Detail = s.pos(hatch), "hatch"
	file, from := hatch.Get("path").Text(), first(hatch.Get("source").Text(), "regex")
	switch {
	case from == "vcs":
		v.Source, v.Detail = VersionTag, "hatch-vcs"
		return v
	case from == "versioningit" || from == "uv-dynamic-versioning":
		v.Source, v.Detail = VersionTag, from
		return v
	case from != "regex" || file == "" || hatch.Has("pattern"):
		v.Detail = strings.TrimSpace(fmt.Sprintf("hatch %s %s", from, file))
		return v
	}
	file = path.Join(path.Dir(s.file), file)
	real, text, err := readText(file)
	m := hatchPattern().FindSubmatchIndex(text)
	if err != nil || m == nil {
		s.fail(hatch.Get("path"), "Write the version there as __version__ = \"0.1.0\", or correct the path.", "no version in %s, where hatch looks for it", file)
		return v
	}
	return textVersion(real, text, max(m[2], m[4]), max(m[3], m[5]), VersionFile, "hatch")
}

// textVersion is a version that stands in a file that is no TOML.
func textVersion(file string, src []byte, start, end int, source VersionSource, detail string) Version {
	before := string(src[:start])
	return Version{
		Text:   string(src[start:end]),
		Source: source,
		Detail: detail,
		Start:  start,
		End:    end,
		Pos:    Pos{File: file, Line: 1 + strings.Count(before, "\n"), Col: start - strings.LastIndex(before, "\n")},
	}
}

// packageVersion finds the version of the conda package, and all places where the package's version is written
// (pixi-facts.md §1.1; PackageDefaults in crates/pixi_manifest/src/pyproject.rs).
func (s *source) packageVersion(p *Package, m *Manifest, root *source) (v Version, all []Version) {
	n := s.pixi.Get("package", "version")
	project := p.Project
	if project != nil && (!p.takesProject() || project.Version.Source == VersionMissing) {
		project = nil
	}
	switch {
	case n != nil && s.inheriting(n):
		v = Version{Text: m.Version, Source: VersionWorkspace, Pos: m.VersionPos, Node: root.versionNode()}
		if m.Version == "" {
			s.fail(n, "add `version` to the workspace's manifest, or write it here", "the version is inherited, but the workspace defines none")
		}
	case n != nil:
		v = Version{Text: s.str(n), Source: VersionPackage, Pos: s.valuePos(n), Node: n}
	case project != nil:
		return project.Version, []Version{project.Version}
	case p.Build.Backend != pythonBackend:
		v = Version{Source: VersionBackend, Detail: p.Build.Backend, Pos: p.Pos}
	default:
		v = Version{Source: VersionMissing, Pos: p.Pos}
	}
	all = []Version{v}
	if p.Project != nil && p.Project.Version.Source != VersionMissing {
		all = append(all, p.Project.Version)
	}
	return v, all
}

// inheriting reports whether a field of [package] is { workspace = true }.
func (s *source) inheriting(n *tomledit.Node) bool {
	w := n.Get("workspace")
	return w != nil && s.inherits(w)
}
