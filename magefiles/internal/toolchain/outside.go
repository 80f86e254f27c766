package toolchain

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// outside are the variables of a person's environment that would change what a build makes of the sources: who has one set
// builds another wheel of the same commit, and nobody sees why. Those of the manifest's [package.build.config] env are part of
// the sources and are not meant; where packages are fetched from (UV_INDEX*, PIP_INDEX_URL, proxies, certificates, configuration
// files) stays the person's. A name that ends in "*" stands for all that begin so.
//
// They were found by reading what the tools ask the environment for: setuptools-scm 10.3, vcs-versioning 2.6, hatch-vcs 0.5,
// hatchling 1.33, versioningit 3.3, dunamai 1.26, poetry-dynamic-versioning 1.10, uv-dynamic-versioning 0.14, pdm-backend 2.5,
// pbr 7.1, scikit-build-core 1.1, setuptools-git-versioning 3.2, versioneer 0.29, setuptools 84, flit-core 4.2, poetry-core 2.5.
// Of these dunamai, hatch-vcs, versioneer and setuptools-git-versioning ask for none of their own.
var outside = []struct {
	version bool // it says, or decides, which version the wheel has
	why     string
	names   []string
}{
	{
		version: true,
		why:     "setuptools-scm and what is built on it: PRETEND_VERSION, PRETEND_METADATA and OVERRIDES, each _FOR_* too, and whether the version file is written. A tool on vcs-versioning has a prefix of its own",
		names: []string{
			"SETUPTOOLS_SCM_*", "VCS_VERSIONING_*", "HATCH_VCS_*",
		},
	},
	{
		version: true,
		why:     "the version, or that the tool is not to make one (BYPASS, OVERRIDE)",
		names: []string{
			"PDM_BUILD_SCM_VERSION", "PBR_VERSION", "OSLO_PACKAGE_VERSION", "POETRY_DYNAMIC_VERSIONING_*", "UV_DYNAMIC_VERSIONING_*",
		},
	},
	{
		version: false,
		why:     "the time that tools write into files, and the date in a version of what is not committed: a build sets its own",
		names: []string{
			"SOURCE_DATE_EPOCH",
		},
	},
	{
		version: false,
		why:     "settings of the build backends, which they put before those of pyproject.toml",
		names: []string{
			"HATCH_*", "PDM_BUILD_*", "PBR_*", "SKBUILD_*", "FLIT_*", "SETUPTOOLS_*", "DIST_EXTRA_CONFIG",
			"SKIP_GENERATE_AUTHORS", "SKIP_WRITE_GIT_CHANGELOG", "SKIP_GENERATE_RENO", "SKIP_GIT_SDIST",
		},
	},
	{
		version: false,
		why:     "where Python looks for modules, and how it runs: a backend would be another one than was installed for the build",
		names: []string{
			"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONINSPECT",
			"PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONHASHSEED",
		},
	},
	{
		version: false,
		why:     "how uv builds, and what for",
		names: []string{
			"UV_NO_BUILD", "UV_NO_BUILD_ISOLATION", "UV_NO_BINARY", "UV_NO_SOURCES", "UV_BUILD_CONSTRAINT", "UV_REQUIRE_HASHES",
			"UV_COMPILE_BYTECODE", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_WORKING_DIR",
		},
	},
	{
		version: false,
		why:     "where pip installs to, and how",
		names: []string{
			"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT", "PIP_NO_BUILD_ISOLATION", "PIP_REQUIRE_VIRTUALENV", "PIP_DRY_RUN",
		},
	},
}

// SetsVersion reports whether a build tool takes the version of a wheel, or a part of it, from a variable of this name.
func SetsVersion(name string) bool {
	for _, o := range outside {
		if o.version && matches(o.names, name) {
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
			if matches(o.names, name) {
				drop = append(drop, name)
			}
		}
	}
	return command.Unset(env, drop...)
}

// matches reports whether a name is one of the patterns.
func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if prefix, all := strings.CutSuffix(p, "*"); p == name || all && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
