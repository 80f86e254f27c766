package workspace

import (
	"fmt"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

func TestVersions(t *testing.T) {
	const python = "[package.build]\nbackend = { name = \"pixi-build-python\" }\n"
	for _, c := range []struct {
		name, pixi, pyproject string
		want                  string // source, text, detail, position
		also                  string // the second position, if any
	}{
		{
			name:      "in both",
			pixi:      "[package]\nname = \"p\"\nversion = \"0.1.0\"\n" + python,
			pyproject: "[project]\nname = \"p\"\nversion = \"0.1.1\"\n",
			want:      "package 0.1.0  p/pixi.toml:3:11",
			also:      "project 0.1.1  p/pyproject.toml:3:11",
		},
		{
			name:      "inherited",
			pixi:      "[package]\nname = \"p\"\nversion.workspace = true\n" + python,
			pyproject: "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"vcs\"\n",
			want:      "workspace 3.2.1  pixi.toml:2:11",
			also:      "tag  hatch-vcs p/pyproject.toml:4:13",
		},
		{"from the pyproject by the backend", "[package]\n" + python, "[project]\nname = \"P_x\"\nversion = \"0.3.0\"\n", "project 0.3.0  p/pyproject.toml:3:11", ""},
		{"pyproject only", "", "[project]\nname = \"p\"\nversion = \"0.3.0\"\n[tool.pixi.package.build.backend]\nname = \"pixi-build-cmake\"\n", "project 0.3.0  p/pyproject.toml:3:11", ""},
		{"poetry", "", "[tool.poetry]\nname = \"p\"\nversion = \"0.3.0\"\n[tool.pixi.package.build.backend]\nname = \"pixi-build-python\"\n", "project 0.3.0  p/pyproject.toml:3:11", ""},
		{
			name:      "poetry, replaced by the tag's",
			pixi:      "[package]\nname = \"p\"\nversion = \"0.3.0\"\n" + python,
			pyproject: "[tool.poetry]\nname = \"p\"\nversion = \"0.0.0\"\n[tool.poetry-dynamic-versioning]\nenable = true\n[build-system]\nbuild-backend = \"poetry_dynamic_versioning.backend\"\n",
			want:      "package 0.3.0  p/pixi.toml:3:11",
			also:      "tag  poetry-dynamic-versioning p/pyproject.toml:4:7",
		},
		{
			name:      "poetry beside [project], replaced by the tag's",
			pixi:      "[package]\nname = \"p\"\nversion = \"0.3.0\"\n" + python,
			pyproject: "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.poetry]\nversion = \"0.0.0\"\n[tool.poetry-dynamic-versioning]\nenable = true\n[build-system]\nbuild-backend = \"poetry_dynamic_versioning.backend\"\n",
			want:      "package 0.3.0  p/pixi.toml:3:11",
			also:      "tag  poetry-dynamic-versioning p/pyproject.toml:6:7",
		},
		{"poetry, replaced only by a plugin that no build has", "[package]\n" + python, "[tool.poetry]\nname = \"p\"\nversion = \"0.3.0\"\n[tool.poetry-dynamic-versioning]\nenable = true\n[build-system]\nbuild-backend = \"poetry.core.masonry.api\"\n", "project 0.3.0  p/pyproject.toml:3:11", ""},
		{"poetry, not replaced yet", "[package]\n" + python, "[tool.poetry]\nname = \"p\"\nversion = \"0.3.0\"\n[tool.poetry-dynamic-versioning]\nenable = false\n[build-system]\nbuild-backend = \"poetry_dynamic_versioning.backend\"\n", "project 0.3.0  p/pyproject.toml:3:11", ""},
		{
			name:      "a literal that hatch reads",
			pixi:      "[package]\n" + python,
			pyproject: "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.hatch.version]\npath = \"src/v.py\"\n",
			want:      "file 0.4.0 hatch p/src/v.py:2:16",
			also:      "",
		},
		{
			name:      "hatch with another source",
			pixi:      "[package]\n" + python,
			pyproject: "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"code\"\npath = \"src/v.py\"\n",
			want:      "dynamic  hatch code src/v.py p/pyproject.toml:4:13",
			also:      "",
		},
		{"setuptools-scm in its table", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n", "tag  setuptools-scm p/pyproject.toml:4:7", ""},
		{"hatch-vcs in the requirements", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[build-system]\nrequires = [\"hatch_vcs>=0.4\"]\n", "tag  hatch-vcs p/pyproject.toml:5:13", ""},
		{"versioningit in the table of hatch", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.hatch.version]\nsource = \"versioningit\"\n", "tag  versioningit p/pyproject.toml:4:13", ""},
		{"uv-dynamic-versioning", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.hatch]\nversion.source = \"uv-dynamic-versioning\"\n", "tag  uv-dynamic-versioning p/pyproject.toml:5:1", ""},
		{"versioneer in its table", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.versioneer]\nVCS = \"git\"\n", "tag  versioneer p/pyproject.toml:4:7", ""},
		{"setuptools-git-versioning", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.setuptools-git-versioning]\nenabled = true\n", "tag  setuptools-git-versioning p/pyproject.toml:4:7", ""},
		{"pbr in the requirements", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[build-system]\nrequires = [\"setuptools\", \"pbr\"]\n", "tag  pbr p/pyproject.toml:5:27", ""},
		{"poetry with a disabled plugin", "", "[tool.poetry]\nname = \"p\"\nversion = \"0.3.0\"\n[tool.poetry-dynamic-versioning]\nenable = false\n[tool.pixi.package.build.backend]\nname = \"pixi-build-python\"\n", "project 0.3.0  p/pyproject.toml:3:11", ""},
		{
			name:      "setuptools-scm in setup.py",
			pixi:      "[package]\nname = \"p\"\nversion = \"0.3.0\"\n" + python,
			pyproject: "[build-system]\nrequires = [\"setuptools\", \"setuptools-scm>=8\"]\n",
			want:      "package 0.3.0  p/pixi.toml:3:11",
			also:      "tag  setuptools-scm p/pyproject.toml:2:27",
		},
		{
			name:      "setuptools-scm beside setup.cfg",
			pixi:      "[package]\nname = \"p\"\nversion = \"0.3.0\"\n" + python,
			pyproject: "[build-system]\nrequires = [\"setuptools\", \"setuptools-scm>=8\"]\n[tool.setuptools_scm]\nroot = \"..\"\n",
			want:      "package 0.3.0  p/pixi.toml:3:11",
			also:      "tag  setuptools-scm p/pyproject.toml:3:7",
		},
		{"a version in setup.cfg", "[package]\nname = \"p\"\nversion = \"0.3.0\"\n" + python, "[build-system]\nrequires = [\"setuptools\"]\n", "package 0.3.0  p/pixi.toml:3:11", ""},
		{"setuptools-scm that only finds files", "[package]\nname = \"p\"\nversion = \"0.3.0\"\n" + python, "[project]\nname = \"p\"\n[build-system]\nrequires = [\"setuptools\", \"setuptools-scm>=8\"]\n", "package 0.3.0  p/pixi.toml:3:11", ""},
		{"setuptools attr", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[tool.setuptools.dynamic]\nversion = { attr = \"p.v\" }\n", "dynamic  setuptools attr p.v p/pyproject.toml:5:1", ""},
		{"dynamic with an unknown backend", "[package]\n" + python, "[project]\nname = \"p\"\ndynamic = [\"version\"]\n[build-system]\nbuild-backend = \"custom\"\n", "dynamic  custom p/pyproject.toml:3:1", ""},
		{"missing", "[package]\n" + python, "[project]\nname = \"p\"\n", "missing   p/pixi.toml:1:2", ""},
		{
			name:      "not taken from an ignored pyproject.toml",
			pixi:      "[package]\nname = \"p\"\n" + python + "config = { ignore-pyproject-manifest = true }\n",
			pyproject: "[project]\nname = \"p\"\nversion = \"1\"\n",
			want:      "missing   p/pixi.toml:1:2",
			also:      "project 1  p/pyproject.toml:3:11",
		},
		{"the backend has the version", "[package.build]\nbackend = { name = \"pixi-build-rattler-build\" }\n", "", "backend  pixi-build-rattler-build p/pixi.toml:1:2", ""},
		{"no common spelling", "[package]\nname = \"p\"\nversion = \"dynamic\"\n" + python, "[project]\n", "package dynamic  p/pixi.toml:3:11", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			archive := "-- pixi.toml --\n[workspace]\nversion = \"3.2.1\"\n-- p/src/v.py --\n# the version\n__version__ = '0.4.0'\n"
			if c.pixi != "" {
				archive += "-- p/pixi.toml --\n" + c.pixi
			}
			if c.pyproject != "" {
				archive += "-- p/pyproject.toml --\n" + c.pyproject
			}
			p := load(t, archive).Packages[0]
			line := func(v manifest.Version) string { return fmt.Sprintf("%s %s %s %s", v.Source, v.Text, v.Detail, v.Pos) }
			require.Equal(t, c.want, line(p.Version))
			require.Equal(t, c.want, line(p.Versions[0]))
			if c.also != "" {
				require.Equal(t, c.also, line(p.Versions[1]))
			}
			require.Len(t, p.Versions, 1+min(1, len(c.also)))
			require.Equal(t, p.Version.Node != nil, p.Version.Text != "" && p.Version.Source != manifest.VersionFile)
		})
	}
}

func TestPackageNames(t *testing.T) {
	w := load(t, `
-- pixi.toml --
[workspace]
name = "Root"
preview = ["pixi-build"]
[package]
name = { workspace = true }
version = "1"
build.backend = { name = "pixi-build-cmake" }
-- moxi_plot/pixi.toml --
[package]
name = "Moxi_Plot"
version = "1"
build.backend = { name = "pixi-build-python" }
-- moxi_plot/pyproject.toml --
[project]
name = "moxi-plot"
version = "1"
-- lib/pixi.toml --
[package.build]
backend = { name = "pixi-build-rattler-build" }
-- lib/recipe.yaml --
package: {}
-- variants/one/pixi.toml --
[package]
publish = true
build = { backend = { name = "pixi-build-python" }, source = { path = "../../numeric" } }
-- numeric/pyproject.toml --
[project]
name = "numeric"
version = "2"
`)
	require.Equal(t, []string{"lib", "moxi_plot", "numeric", "root"}, packageNames(w.Packages))
	plot, err := w.Package("MOXI_plot")
	require.NoError(t, err)
	require.Equal(t, "moxi-plot", plot.PyPIName)
	numeric, err := w.Package("numeric")
	require.NoError(t, err)
	require.Equal(t, []string{"variants/one", "numeric", "variants/one/pixi.toml", "numeric/pyproject.toml", "2"},
		[]string{numeric.Dir, numeric.SourceDir, numeric.Manifest, numeric.Pyproject, numeric.Version.Text})
	require.True(t, numeric.Publish)
}
