package toolchain

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// outside are the variables of a person's environment that would change what a build makes of the sources: who has one set
// builds another wheel of the same commit, and nobody sees why. Those of the manifest's [package.build.config] env are part of
// the sources and are not meant. A name that ends in "*" stands for all that begin so.
//
// They were found by reading what the tools ask the environment for: setuptools-scm 10.3, vcs-versioning 2.6, hatch-vcs 0.5,
// hatchling 1.33, versioningit 3.3, dunamai 1.26, poetry-dynamic-versioning 1.10, uv-dynamic-versioning 0.14, pdm-backend 2.5,
// pbr 7.1, scikit-build-core 1.1, setuptools 84, flit-core 4.2 and poetry-core 2.5.
var outside = []struct {
	version bool // it says, or decides, which version the wheel has
	why     string
	names   []string
}{
	{true, "setuptools-scm and all that is built on it: the version, its parts, and any setting of the table", []string{
		"SETUPTOOLS_SCM_*", "VCS_VERSIONING_*", "HATCH_VCS_*", "SCIKIT_BUILD_SCM_*",
	}},
	{true, "other tools that make the version from tags", []string{
		"PDM_BUILD_SCM_VERSION", "PBR_VERSION", "OSLO_PACKAGE_VERSION", "POETRY_DYNAMIC_VERSIONING_*", "UV_DYNAMIC_VERSIONING_*",
		"VERSIONINGIT_*", "DUNAMAI_*", "VERSIONEER_*", "SETUPTOOLS_GIT_VERSIONING_*",
	}},
}

// SetsVersion reports whether a build tool takes the version of a wheel, or a part of it, from a variable of this name.
func SetsVersion(name string) bool {
	for _, o := range outside {
		if o.version && named(o.names, name) {
			return true
		}
	}
	return false
}

// WithoutOutside returns the environment for a build: without what would change its result.
func WithoutOutside(env []string) []string {
	var drop []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		for _, o := range outside {
			if named(o.names, name) {
				drop = append(drop, name)
			}
		}
	}
	return command.Unset(env, drop...)
}

func named(patterns []string, name string) bool {
	for _, p := range patterns {
		if prefix, all := strings.CutSuffix(p, "*"); p == name || all && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
