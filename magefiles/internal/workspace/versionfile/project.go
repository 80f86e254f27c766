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

// TextReader reads a file that is not TOML. `real` is its path with symlinks resolved.
type TextReader func(name string) (real string, src []byte, err error)

// OfProject returns the version of a pyproject.toml, which may be static, computed by a tool, or missing.
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
	if project == nil { // setup.py or setup.cfg has the metadata
		if v := dynamicVersion(s, p, read); v.Source == manifest.VersionTag {
			return v
		}
	}
	return manifest.Version{Source: manifest.VersionMissing, Pos: s.Pos(project)}
}

// dynamicVersion finds the tool that computes the version for a pyproject.toml without a static one.
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

// taggers lists build requirements that derive the version from tags if no table says otherwise.
var taggers = []string{
	"flit-scm", "hatch-vcs", "pbr", "setuptools-git-versioning", "setuptools-scm", "uv-dynamic-versioning", "vcs-versioning", "versioneer", "versioningit",
}

// poetryReplaces reports whether the build replaces the version in [tool.poetry] with one derived from a tag. poetry requires a version
// there, and poetry-dynamic-versioning recommends "0.0.0".
func poetryReplaces(root *tomledit.Node) bool {
	return root.Get("tool", "poetry-dynamic-versioning", "enable").True() &&
		strings.HasPrefix(root.Get("build-system", "build-backend").Text(), "poetry_dynamic_versioning")
}

// dynamicVersions lists tables that identify the tool that computes the version, and its source.
var dynamicVersions = []struct {
	keys   []string
	value  string // required value; "" for any
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

// hatchPattern is the default pattern of hatch's regex source, without the backreference.
var hatchPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(?:__version__|VERSION)(?: ?: ?str)? *= *(?:"v?([^"\n]+)"|'v?([^'\n]+)')`)
})

// hatchVersion reads [tool.hatch.version], which uses version control, a literal in a file, or another source.
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
		s.Fail(hatch.Get("path"), "Write the version into this file as __version__ = \"0.1.0\", or correct the path.", "%s has no version, but hatch reads the version from this file", file)
		return v
	}
	return textVersion(real, text, max(m[2], m[4]), max(m[3], m[5]), manifest.VersionFile, "hatch")
}

// textVersion returns a version in a file that is not TOML.
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
