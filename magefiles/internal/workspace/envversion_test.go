package workspace

import (
	"fmt"
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

// envVersionsOf lists the versions in build environments, by package.
func envVersionsOf(w *Workspace) (lines []string) {
	for _, p := range w.Packages {
		for _, v := range p.Versions {
			if v.Source == manifest.VersionEnv {
				lines = append(lines, fmt.Sprintf("%s %s %s %s", p.Name, v.Text, v.Detail, v.Pos))
			}
		}
	}
	return lines
}

func TestEnvVersions(t *testing.T) {
	t.Parallel()
	const scm = "[project]\nname = \"Acme.Core\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n"
	const pixi = "[package]\nname = \"core\"\nversion = \"1.2.0\"\n[package.build]\nbackend.name = \"pixi-build-python\"\n"
	for name, c := range map[string]struct{ pixi, pyproject, want string }{
		"a table":            {pixi + "[package.build.config.env]\nSETUPTOOLS_SCM_PRETEND_VERSION = \"1.2.0\"\n", scm, "core 1.2.0 SETUPTOOLS_SCM_PRETEND_VERSION core/pixi.toml:7:34"},
		"inline":             {pixi + "config = { env = { PBR_VERSION = '1.2.0' } }\n", scm, "core 1.2.0 PBR_VERSION core/pixi.toml:6:34"},
		"dotted":             {pixi + "config.env.PDM_BUILD_SCM_VERSION = \"1.1.9\"\n", scm, "core 1.1.9 PDM_BUILD_SCM_VERSION core/pixi.toml:6:36"},
		"quoted":             {pixi + "\"config\".'env'.\"UV_DYNAMIC_VERSIONING_BYPASS\" = \"1.2.0\"\n", scm, "core 1.2.0 UV_DYNAMIC_VERSIONING_BYPASS core/pixi.toml:6:49"},
		"the older name":     {pixi + "configuration.env.VCS_VERSIONING_PRETEND_VERSION = \"1.2.0\"\n", scm, "core 1.2.0 VCS_VERSIONING_PRETEND_VERSION core/pixi.toml:6:52"},
		"for one platform":   {pixi + "[package.build.target.linux-64.config]\nenv = { POETRY_DYNAMIC_VERSIONING_BYPASS = \"1.2.0\" }\n", scm, "core 1.2.0 POETRY_DYNAMIC_VERSIONING_BYPASS core/pixi.toml:7:44"},
		"for this project":   {pixi + "config.env.SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE = \"1.2.0\"\n", scm, "core 1.2.0 SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE core/pixi.toml:6:59"},
		"for another one":    {pixi + "config.env.SETUPTOOLS_SCM_PRETEND_VERSION_FOR_NUMPY = \"1.2.0\"\n", scm, ""},
		"for a sibling":      {pixi + "config.env.VCS_VERSIONING_PRETEND_VERSION_FOR_ACME_UI_KIT = \"0.9\"\n", scm, "ui 0.9 VCS_VERSIONING_PRETEND_VERSION_FOR_ACME_UI_KIT core/pixi.toml:6:61"},
		"a list":             {pixi + "config.env.POETRY_DYNAMIC_VERSIONING_OVERRIDE = \"numpy=3,acme-core= 1.2.0 ,acme-ui-kit=0.9\"\n", scm, "core 1.2.0 POETRY_DYNAMIC_VERSIONING_OVERRIDE core/pixi.toml:6:49|ui 0.9 POETRY_DYNAMIC_VERSIONING_OVERRIDE core/pixi.toml:6:49"},
		"as a tag":           {pixi + "config.env.SETUPTOOLS_SCM_PRETEND_VERSION = \" v1.2.0\"\n", scm, "core 1.2.0 SETUPTOOLS_SCM_PRETEND_VERSION core/pixi.toml:6:45"},
		"put in by the tool": {pixi + "config.env = { PBR_VERSION = \"${{ version }}\", SETUPTOOLS_SCM_PRETEND_VERSION = \"\" }\n", scm, ""},
		"no version":         {pixi + "config.env = { VERSION = \"1.2.0\", PBR_VERSIONS = \"1\", SETUPTOOLS_SCM_DEBUG = \"1\" }\n", scm, ""},
		"in a pyproject.toml": {
			pixi:      "",
			pyproject: scm + "[tool.pixi.package]\nversion = \"1.2.0\"\nbuild.backend.name = \"pixi-build-python\"\nbuild.config.env.HATCH_VCS_PRETEND_VERSION = \"1.2.1\"\n",
			want:      "acme.core 1.2.1 HATCH_VCS_PRETEND_VERSION core/pyproject.toml:8:46",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := "-- pixi.toml --\n[workspace]\nname = \"w\"\n-- core/pyproject.toml --\n" + c.pyproject +
				"-- ui/pixi.toml --\n" + strings.Replace(pkg("ui", ""), "0.1.0", "0.9", 1) + "-- ui/pyproject.toml --\n[project]\nname = \"acme_ui.kit\"\nversion = \"0.9\"\n"
			if c.pixi != "" {
				archive += "-- core/pixi.toml --\n" + c.pixi
			}
			require.Equal(t, c.want, strings.Join(envVersionsOf(load(t, archive)), "|"))
		})
	}
}

// A different version in a build environment is a disagreement, as it is in any other copy.
func TestEnvVersionsThatDiffer(t *testing.T) {
	t.Parallel()
	const pyproject = "[project]\nname = \"core\"\nversion = \"0.1.0\"\n"
	for name, c := range map[string]struct{ config, want string }{
		"its own":     {"env.SETUPTOOLS_SCM_PRETEND_VERSION = \"0.0.9\"", "core/pixi.toml:7:38 core: core has version 0.0.9 in core/pixi.toml:7, but 0.1.0 in core/pixi.toml:3"},
		"a sibling's": {"env.SETUPTOOLS_SCM_PRETEND_VERSION_FOR_UI = \"0.2\"", "core/pixi.toml:7:45 ui: ui has version 0.2 in core/pixi.toml:7, but 0.1.0 in ui/pixi.toml:3"},
		"no version":  {"env.PBR_VERSION = \"latest\"", "core/pixi.toml:7:19 core: core has version latest in core/pixi.toml:7, but 0.1.0 in core/pixi.toml:3"},
		"the same":    {"env.SETUPTOOLS_SCM_PRETEND_VERSION = \"0.1\"", ""},
		"another's":   {"env.SETUPTOOLS_SCM_PRETEND_VERSION_FOR_OTHER = \"0.2\"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n-- core/pixi.toml --\n"+pkg("core", "[package.build.config]\n"+c.config+"\n")+"-- core/pyproject.toml --\n"+pyproject+"-- ui/pixi.toml --\n"+pkg("ui", ""))
			var lines []string
			for _, d := range w.Disagreements() {
				lines = append(lines, fmt.Sprintf("%s %s: %s", d.Pos, d.Package, d.Message))
			}
			require.Equal(t, c.want, strings.Join(lines, "|"))
		})
	}
}
