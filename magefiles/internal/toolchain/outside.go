package toolchain

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// `outside` lists environment variables that would change a build's result. If one were set, the same commit would silently produce a different
// wheel. Variables in the manifest's [package.build.config] env are part of the sources and are not affected. Settings that determine where
// packages are fetched from (UV_INDEX*, PIP_INDEX_URL, proxies, certificates, configuration files) are passed through. A name that ends in "*" is
// a prefix match.
//
// The list was compiled from the source code of setuptools-scm 10.3, vcs-versioning 2.6, hatch-vcs 0.5, hatchling 1.33, versioningit 3.3, dunamai
// 1.26, poetry-dynamic-versioning 1.10, uv-dynamic-versioning 0.14, pdm-backend 2.5, pbr 7.1, scikit-build-core 1.1, setuptools-git-versioning
// 3.2, versioneer 0.29, setuptools 84, flit-core 4.2 and poetry-core 2.5. dunamai, hatch-vcs, versioneer and setuptools-git-versioning do not
// read any variables themselves.
var outside = []struct {
	version bool // whether the variable affects the wheel's version
	why     string
	names   []string
}{
	{
		version: true,
		why:     "setuptools-scm and tools based on it: they set or override the version, and decide whether the version file is written. Each tool based on vcs-versioning has its own prefix",
		names: []string{
			"SETUPTOOLS_SCM_*", "VCS_VERSIONING_*", "HATCH_VCS_*",
		},
	},
	{
		version: true,
		why:     "they set the version, or stop the tool from computing a version (BYPASS, OVERRIDE)",
		names: []string{
			"PDM_BUILD_SCM_VERSION", "PBR_VERSION", "OSLO_PACKAGE_VERSION", "POETRY_DYNAMIC_VERSIONING_*", "UV_DYNAMIC_VERSIONING_*",
		},
	},
	{
		version: false,
		why:     "the time that tools write into files, and the date in the version of uncommitted sources. Each build sets this variable itself",
		names: []string{
			"SOURCE_DATE_EPOCH",
		},
	},
	{
		version: false,
		why:     "settings of the build backends, which override those in pyproject.toml",
		names: []string{
			"HATCH_*", "PDM_BUILD_*", "PBR_*", "SKBUILD_*", "FLIT_*", "SETUPTOOLS_*", "DIST_EXTRA_CONFIG",
			"SKIP_GENERATE_AUTHORS", "SKIP_WRITE_GIT_CHANGELOG", "SKIP_GENERATE_RENO", "SKIP_GIT_SDIST",
		},
	},
	{
		version: false,
		why:     "where Python looks for modules, and how it runs. A different backend could be imported than the one that was installed for the build",
		names: []string{
			"PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "PYTHONSAFEPATH", "PYTHONSTARTUP", "PYTHONINSPECT",
			"PYTHONOPTIMIZE", "PYTHONWARNINGS", "PYTHONHASHSEED",
		},
	},
	{
		version: false,
		why:     "how uv builds, and for which Python",
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

// SetsVersion reports whether a build tool derives all or part of a wheel's version from the named variable.
func SetsVersion(name string) bool {
	for _, o := range outside {
		if o.version && matches(o.names, name) {
			return true
		}
	}
	return false
}

// WithoutOutside returns env without the variables that would change a build's result.
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

// matches reports whether name matches any of the patterns.
func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if prefix, all := strings.CutSuffix(p, "*"); p == name || all && strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
