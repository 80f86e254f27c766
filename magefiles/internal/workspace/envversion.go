package workspace

import (
	"regexp"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// pretended are the variables by which a person tells a tool the version that it would else make from tags, for whatever is built
// with them or, by the second group, for one distribution (toolchain/outside.go says which tools read them).
var pretended = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(?:SETUPTOOLS_SCM|VCS_VERSIONING|HATCH_VCS)_PRETEND_VERSION(?:_FOR_(.+))?|PDM_BUILD_SCM_VERSION|PBR_VERSION|OSLO_PACKAGE_VERSION|(?:POETRY|UV)_DYNAMIC_VERSIONING_BYPASS)$`)
})

// overrides is a list of versions by distribution: `core=1.2.0,ui=1.3.0`.
const overrides = "POETRY_DYNAMIC_VERSIONING_OVERRIDE"

// spelled is a version as a tool takes it from a variable: blanks around it do not count, nor does the v that tags begin with.
var spelled = regexp.MustCompile(`^\s*(?:[vV])?([^\s$vV][^\s$]*)\s*$`)

// envVersion is a version that the environment of a build names, and whose it is.
type envVersion struct {
	builds *Package // the package that the manifest is of
	dist   string   // the distribution that it is for, where the variable says so; else ""
	Version
}

// readEnvVersions finds the versions in the `env` of [package.build.config], and of its platforms.
func (l *loader) readEnvVersions(s *source, p *Package) {
	configs := []*tomledit.Node{p.Build.Node}
	for _, target := range p.Build.Targets {
		configs = append(configs, target.Node)
	}
	for _, config := range configs {
		for _, n := range config.Get("env").Members() {
			if !n.Is(tomledit.String) {
				continue // the reader of the configuration refuses it
			}
			for _, v := range s.envVersions(n) {
				v.builds = p
				l.envs = append(l.envs, v)
			}
		}
	}
}

// envVersions are the versions that one variable has. One that is put in while building, such as `${{ version }}`, keeps itself.
func (s *source) envVersions(n *tomledit.Node) (all []envVersion) {
	add := func(dist, text string, at int) {
		m := spelled.FindStringSubmatchIndex(text)
		if m == nil {
			return
		}
		text, at = text[m[2]:m[3]], at+m[2]
		all = append(all, envVersion{
			dist: dist,
			Version: Version{
				Text:   text,
				Source: VersionEnv,
				Detail: n.Key,
				Pos:    s.valuePos(n),
				Node:   n,
				Start:  at,
				End:    at + len(text),
			},
		})
	}
	if m := pretended().FindStringSubmatch(n.Key); m != nil {
		add(m[1], n.Text(), 0)
	}
	if n.Key != overrides {
		return all
	}
	at := 0
	for entry := range strings.SplitSeq(n.Text(), ",") {
		if name, text, ok := strings.Cut(entry, "="); ok {
			add(strings.TrimSpace(name), text, at+len(name)+1)
		}
		at += len(entry) + 1
	}
	return all
}

// ownEnvVersions gives each version that a build's environment names to the package that it is of: the one that is built, or the
// sibling that the variable names. One for a stranger's distribution is nobody's.
func (l *loader) ownEnvVersions(packages []*Package) {
	for _, v := range l.envs {
		for _, p := range packages {
			named := v.dist != "" && PyPIName(v.dist) == PyPIName(first(p.PyPIName, p.Name))
			if named || v.dist == "" && p == v.builds {
				p.Versions = append(p.Versions, v.Version)
			}
		}
	}
}
