package versionfile

import (
	"regexp"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// pretended matches the variables that override a version that would otherwise be derived from tags. The first group is the
// distribution, if the variable applies to only one (toolchain/outside.go lists the tools that read them).
var pretended = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:(?:SETUPTOOLS_SCM|VCS_VERSIONING|HATCH_VCS)_PRETEND_VERSION(?:_FOR_(.+))?|PDM_BUILD_SCM_VERSION|PBR_VERSION|OSLO_PACKAGE_VERSION|(?:POETRY|UV)_DYNAMIC_VERSIONING_BYPASS)$`)
})

// overrides is a variable with one version per distribution: `core=1.2.0,ui=1.3.0`.
const overrides = "POETRY_DYNAMIC_VERSIONING_OVERRIDE"

// spelled matches a version in a variable, with optional surrounding whitespace and a leading v as in tags.
var spelled = regexp.MustCompile(`^\s*(?:[vV])?([^\s$vV][^\s$]*)\s*$`)

// EnvVersion is a version set in a build environment.
type EnvVersion struct {
	manifest.Version
	Distribution string // distribution that the variable names, or ""
}

// ReadEnv returns the versions in one variable. Versions that the build substitutes, such as `${{ version }}`, are skipped.
func ReadEnv(s *manifest.File, n *tomledit.Node) (all []EnvVersion) {
	add := func(dist, text string, at int) {
		m := spelled.FindStringSubmatchIndex(text)
		if m == nil {
			return
		}
		text, at = text[m[2]:m[3]], at+m[2]
		all = append(all, EnvVersion{
			Distribution: dist,
			Version: manifest.Version{
				Text:   text,
				Source: manifest.VersionEnv,
				Detail: n.Key,
				Pos:    s.ValuePos(n),
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
