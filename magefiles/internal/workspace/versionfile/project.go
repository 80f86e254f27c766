package versionfile

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// TextReader reads a file that is no TOML, and says which one it is behind symlinks.
type TextReader func(name string) (real string, src []byte, err error)

// OfProject finds out what a pyproject.toml says of its version: a text, who makes it, or nothing.
func OfProject(s *manifest.File, p *manifest.Project, read TextReader) manifest.Version {
	root := s.Doc.Root
	written := root.Get("tool", "poetry", "version")
	if poetryReplaces(root) {
		written = nil
	}
	for _, n := range []*tomledit.Node{root.Get("project", "version"), written} {
		if n != nil {
			return manifest.Version{Text: s.Str(n), Source: manifest.VersionProject, Pos: s.ValuePos(n), Node: n}
		}
	}
	project := root.Get("project")
	if slices.Contains(p.Dynamic, "version") || poetryReplaces(root) {
		return dynamicVersion(s, p, read)
	}
	if project == nil { // the rest is in setup.py or setup.cfg
		if v := dynamicVersion(s, p, read); v.Source == manifest.VersionTag {
			return v
		}
	}
	return manifest.Version{Source: manifest.VersionMissing, Pos: s.Pos(project)}
}

// dynamicVersion finds out who makes a version that no text says.
func dynamicVersion(s *manifest.File, p *manifest.Project, read TextReader) manifest.Version {
	root := s.Doc.Root
	v := manifest.Version{Source: manifest.VersionDynamic, Detail: p.BuildBackend, Pos: s.Pos(root.Get("project", "dynamic"))}
	tool := root.Get("tool")
	if hatch := tool.Get("hatch", "version"); hatch != nil {
		return hatchVersion(s, v, hatch, read)
	}
	for _, d := range dynamicVersions {
		if n := tool.Get(d.keys...); n != nil && (d.value == "" || n.Text() == d.value) {
			v.Source, v.Detail, v.Pos = d.source, d.detail, s.Pos(n)
			if attr := n.Get("attr"); attr != nil {
				v.Detail += " attr " + attr.Text()
			}
			return v
		}
	}
	for _, d := range p.Dependencies {
		if name := manifest.PyPIName(d.Name); d.Role == manifest.RoleBuild && slices.Contains(taggers, name) {
			return manifest.Version{Source: manifest.VersionTag, Detail: name, Pos: d.Pos}
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
	source manifest.VersionSource
	detail string
}{
	{[]string{"setuptools_scm"}, "", manifest.VersionTag, "setuptools-scm"},
	{[]string{"setuptools-scm"}, "", manifest.VersionTag, "setuptools-scm"},
	{[]string{"versioningit"}, "", manifest.VersionTag, "versioningit"},
	{[]string{"versioneer"}, "", manifest.VersionTag, "versioneer"},
	{[]string{"setuptools-git-versioning"}, "", manifest.VersionTag, "setuptools-git-versioning"},
	{[]string{"poetry-dynamic-versioning"}, "", manifest.VersionTag, "poetry-dynamic-versioning"},
	{[]string{"pdm", "version", "source"}, "scm", manifest.VersionTag, "pdm"},
	{[]string{"pdm", "version"}, "", manifest.VersionDynamic, "pdm"},
	{[]string{"setuptools", "dynamic", "version"}, "", manifest.VersionDynamic, "setuptools"},
	{[]string{"scikit-build", "metadata", "version", "provider"}, "scikit_build_core.metadata.setuptools_scm", manifest.VersionTag, "scikit-build-core with setuptools-scm"},
	{[]string{"scikit-build", "metadata", "version"}, "", manifest.VersionDynamic, "scikit-build-core"},
	{[]string{"maturin"}, "", manifest.VersionDynamic, "maturin, from Cargo.toml"},
	{[]string{"flit"}, "", manifest.VersionDynamic, "flit, from __version__"},
}

// hatchPattern is the default of hatch's regex source, without its back reference.
var hatchPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:__version__|VERSION)(?: ?: ?str)? *= *(?:"v?([^"\n]+)"|'v?([^'\n]+)')`)
})

// hatchVersion reads [tool.hatch.version]: a version control system, a literal in a file, or something else.
func hatchVersion(s *manifest.File, v manifest.Version, hatch *tomledit.Node, read TextReader) manifest.Version {
	v.Pos, v.Detail = s.Pos(hatch), "hatch"
	file, from := hatch.Get("path").Text(), cmp.Or(hatch.Get("source").Text(), "regex")
	switch {
	case from == "vcs":
		v.Source, v.Detail = manifest.VersionTag, "hatch-vcs"
		return v
	case from == "versioningit" || from == "uv-dynamic-versioning":
		v.Source, v.Detail = manifest.VersionTag, from
		return v
	case from != "regex" || file == "" || hatch.Has("pattern"):
		v.Detail = strings.TrimSpace(fmt.Sprintf("hatch %s %s", from, file))
		return v
	}
	file = path.Join(path.Dir(s.Path), file)
	real, text, err := read(file)
	m := hatchPattern().FindSubmatchIndex(text)
	if err != nil || m == nil {
		s.Fail(hatch.Get("path"), "Write the version there as __version__ = \"0.1.0\", or correct the path.", "no version in %s, where hatch looks for it", file)
		return v
	}
	return textVersion(real, text, max(m[2], m[4]), max(m[3], m[5]), manifest.VersionFile, "hatch")
}

// textVersion is a version that stands in a file that is no TOML.
func textVersion(file string, src []byte, start, end int, source manifest.VersionSource, detail string) manifest.Version {
	before := string(src[:start])
	return manifest.Version{
		Text:   string(src[start:end]),
		Source: source,
		Detail: detail,
		Start:  start,
		End:    end,
		Pos:    manifest.Pos{File: file, Line: 1 + strings.Count(before, "\n"), Col: start - strings.LastIndex(before, "\n")},
	}
}
