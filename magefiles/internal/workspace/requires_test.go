package workspace

import (
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

const corePackage = "-- packages/core/pixi.toml --\n[package]\nname = \"acme-core\"\nversion = \"0.1.0\"\nbuild = { backend = { name = \"pixi-build-cmake\" } }\n"

// All dependency tables of a [package] are read (pixi-facts.md §1.2), in every syntax.
func TestPackageRequirements(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\nname = \"acme\"\n"+corePackage+`
-- packages/ui/pixi.toml --
[package]
name = "acme-ui"
version = "0.1.0"
run-exports = { weak = { acme-core = "==0.1.0" } }

[package.build]
backend = { name = "pixi-build-cmake" }

[package.host-dependencies]
acme-core = { path = "../core" }
cmake = "*"
acme_core = "==0.1.0"

[package.build-dependencies]
"ACME-core" = { path = "../core/pixi.toml", version = "==0.1.0" }

[package.run-dependencies]
acme-core = "0.1.0"
acme-core-tools = "==0.1.0"

[package.run-dependencies."if(matches(python, '>=3.10'))"]
acme-core = {
  version = ">=0.1.0,<0.2",  # TOML 1.1
}

[package.run-constraints.acme-core]
version = "==0.1.0"

[package.extra-dependencies.gui]
acme-core = { pin-compatible = true }

[package.extra-dependencies.gui."if(linux)"]
acme-core = "=0.1.0"

[package.target.linux-64.run-dependencies]
acme-core.version = " == 0.1.0 "
`)
	ui, err := w.Package("acme-ui")
	require.NoError(t, err)
	require.Equal(t, []string{
		`packages/ui/pixi.toml:4:26 conda package.run-exports.weak: acme-core "==0.1.0" pin`,
		`packages/ui/pixi.toml:10:1 conda package.host-dependencies: acme-core "" path`,
		`packages/ui/pixi.toml:15:1 conda package.build-dependencies: ACME-core "==0.1.0" pin path`,
		`packages/ui/pixi.toml:18:1 conda package.run-dependencies: acme-core "0.1.0" pin`,
		`packages/ui/pixi.toml:22:1 conda package.run-dependencies."if(matches(python, '>=3.10'))": acme-core ">=0.1.0,<0.2"`,
		`packages/ui/pixi.toml:26:26 conda package.run-constraints: acme-core "==0.1.0" pin`,
		`packages/ui/pixi.toml:30:1 conda package.extra-dependencies.gui: acme-core ""`,
		`packages/ui/pixi.toml:33:1 conda package.extra-dependencies.gui."if(linux)": acme-core "=0.1.0"`,
		`packages/ui/pixi.toml:36:1 conda package.target.linux-64.run-dependencies: acme-core " == 0.1.0 " pin`,
	}, lines(ui.Requires))

	conditions := names(ui.Dependencies(manifest.RoleRun), func(d manifest.Dependency) string { return d.Name + " " + d.Condition })
	require.Equal(t, []string{"acme-core ", "acme-core-tools ", "acme-core matches(python, '>=3.10')", "acme-core host_platform == 'linux-64'"}, conditions)
	require.True(t, ui.Dependencies(manifest.RoleExtra)[0].Spec.PinCompatible)
	require.Equal(t, "gui", ui.Dependencies(manifest.RoleExtra)[0].Group)

	// Spec.Node is the string to edit.
	node := ui.Requires[8].Dependency.Spec.Node
	for _, f := range w.Files {
		if f.Name == "packages/ui/pixi.toml" {
			require.Equal(t, `" == 0.1.0 "`, string(f.Src[node.Start:node.End]))
		}
	}
}

// All dependency tables of a pyproject.toml are read (§1.3). Names are compared as in PEP 503.
func TestProjectRequirements(t *testing.T) {
	w := load(t, `
-- pixi.toml --
[workspace]
name = "acme"
-- core/pyproject.toml --
[project]
name = "Acme.Core"
version = "0.1.0"
[tool.pixi.package]
name = "acme-core-conda"
build = { backend = { name = "pixi-build-python" } }
-- ui/pyproject.toml --
[project]
name = "acme-ui"
version = "0.1.0"
dependencies = [
  "acme_core == 0.1.0",
  'Acme-Core[a, b] (>=0.1,<1) ; python_version < "3.13"', # a comment
  "acme-core-extras==0.1.0", "acme-core-conda==0.1.0",
]
[project.optional-dependencies]
all = ["acme-ui[gui]", "acme-ui[gui]==0.1.0", "acme.core===0.1.0"]
[dependency-groups]
dev = [{ include-group = "test" }, "acme-core @ file:///x ; os_name == 'nt'"]
test = ["acme-core"]
[build-system]
requires = ["hatchling", "acme-core ~=0.1.0"]
[tool.poetry.dependencies]
python = "^3.11"
acme-core = "0.1.0"
[tool.poetry.group.docs.dependencies]
acme-core = { version = "^0.1" }
[tool.hatch.envs.test]
dependencies = ["acme-core!=0.1.0"]
[tool.pixi.package]
build.backend.name = "pixi-build-python"
[tool.pixi.package.run-dependencies]
acme-core-conda = "==0.1.0"
Acme.Core = "==0.1.0"
`)
	ui, err := w.Package("acme-ui")
	require.NoError(t, err)
	require.Equal(t, []string{
		`ui/pyproject.toml:5:3 pypi project.dependencies: acme_core "== 0.1.0" pin`,
		`ui/pyproject.toml:6:3 pypi project.dependencies: Acme-Core ">=0.1,<1"`,
		`ui/pyproject.toml:10:24 pypi project.optional-dependencies.all: acme-ui "==0.1.0" pin`,
		`ui/pyproject.toml:10:47 pypi project.optional-dependencies.all: acme.core "===0.1.0" pin`,
		`ui/pyproject.toml:12:36 pypi dependency-groups.dev: acme-core ""`,
		`ui/pyproject.toml:13:9 pypi dependency-groups.test: acme-core ""`,
		`ui/pyproject.toml:15:26 pypi build-system.requires: acme-core "~=0.1.0"`,
		`ui/pyproject.toml:18:1 pypi tool.poetry.dependencies: acme-core "0.1.0" pin`,
		`ui/pyproject.toml:20:1 pypi tool.poetry.group.docs.dependencies: acme-core "^0.1"`,
		`ui/pyproject.toml:22:17 pypi tool.hatch.envs.test.dependencies: acme-core "!=0.1.0"`,
		`ui/pyproject.toml:26:1 conda tool.pixi.package.run-dependencies: acme-core-conda "==0.1.0" pin`,
	}, lines(ui.Requires))
	require.Equal(t, []string{"a", "b"}, ui.Requires[1].Dependency.Spec.Extras)
	require.Equal(t, `python_version < "3.13"`, ui.Requires[1].Dependency.Spec.Marker)
	require.Equal(t, "file:///x", ui.Requires[4].Dependency.Spec.URL)
}

// The dependency tables of the root manifest and of downstreams are read. So is [workspace.dependencies], from which packages and environments
// inherit.
func TestWorkspaceRequirements(t *testing.T) {
	archive := `
-- pixi.toml --
[workspace]
name = "acme"
[workspace.dependencies]
acme-core = { path = "packages/core", version = "==0.1.0" }
numpy = ">=1.26"
[dependencies]
acme-core = { workspace = true, build = "py*" }
[dev]
acme-core = { path = "packages/core" }
[constraints]
acme-core = "<1"
[pypi-dependencies]
acme-core = { path = "packages/core", editable = true }
[target.linux-64.dependencies]
acme-core = "==0.1.0"
[feature.x]
dependencies = { acme-core = "*" }
[feature.x.target.win.host-dependencies]
acme-core = "==0.1.0"
[environments.e.dependencies]
acme-core = "==0.1.0"
` + corePackage + `
-- packages/ui/pixi.toml --
` + pkg("acme-ui", `[package.run-dependencies]
acme-core = { workspace = true }
numpy.workspace = true
`) + `
-- app/pixi.toml --
[workspace]
channels = ["https://prefix.dev/ours"]
[dependencies]
acme-core = "==0.0.9"
[feature.y.pypi-dependencies]
Acme_Core = { version = "==0.0.9", extras = ["x"] }
-- app/pyproject.toml --
[project]
name = "app"
dependencies = ["acme-core==0.0.9"]
-- tools/pixi.toml --
[workspace]
name = "takes none of ours"
[dependencies]
numpy = "*"
[tasks]
broken = { cmdd = "x" }
`
	w := load(t, archive)
	require.Equal(t, []string{
		`pixi.toml:4:1 conda workspace.dependencies: acme-core "==0.1.0" pin path`,
		`pixi.toml:7:1 conda dependencies: acme-core "==0.1.0" pin path inherited`,
		`pixi.toml:9:1 conda dev: acme-core "" path`,
		`pixi.toml:11:1 conda constraints: acme-core "<1"`,
		`pixi.toml:13:1 pypi pypi-dependencies: acme-core "" path`,
		`pixi.toml:15:1 conda target.linux-64.dependencies: acme-core "==0.1.0" pin`,
		`pixi.toml:17:18 conda feature.x.dependencies: acme-core "*"`,
		`pixi.toml:19:1 conda feature.x.target.win.host-dependencies: acme-core "==0.1.0" pin`,
		`pixi.toml:21:1 conda environments.e.dependencies: acme-core "==0.1.0" pin`,
	}, lines(w.Requires))
	require.Equal(t, "py*", w.Requires[1].Dependency.Spec.Build)

	ui, err := w.Package("acme-ui")
	require.NoError(t, err)
	require.Equal(t, []string{`packages/ui/pixi.toml:7:1 conda package.run-dependencies: acme-core "==0.1.0" pin path inherited`}, lines(ui.Requires))
	require.Equal(t, "packages/core", ui.Requires[0].Dependency.Spec.Dir)
	require.Equal(t, ">=1.26", ui.Dependencies(manifest.RoleRun)[1].Spec.Text)

	require.Equal(t, []string{"app"}, names(w.Downstreams, (*Downstream).Name))
	require.Equal(t, []string{
		`app/pixi.toml:4:1 conda dependencies: acme-core "==0.0.9" pin`,
		`app/pixi.toml:6:1 pypi feature.y.pypi-dependencies: Acme_Core "==0.0.9" pin`,
		`app/pyproject.toml:3:17 pypi project.dependencies: acme-core "==0.0.9" pin`,
	}, lines(w.Downstreams[0].Requires))
	require.Empty(t, w.Disagreements(), "an older pin of a downstream is not a disagreement")

	d, err := w.Downstream("app/")
	require.NoError(t, err)
	require.Equal(t, "app/pyproject.toml", d.Pyproject)
	_, err = w.Downstream("ap")
	require.EqualError(t, err, `no downstream named "ap"; there is only app`)
	other := *w.Downstreams[0]
	other.Dir, d.Dir = "other/app", "one/app"
	w.Downstreams = append(w.Downstreams, &other)
	_, err = w.Downstream(d.Name())
	require.ErrorContains(t, err, `one/app and other/app are both named "`+d.Name()+`"`)
	d, err = w.Downstream("other/app")
	require.NoError(t, err)
	require.Same(t, &other, d)
}

// A path dependency matches a package under any name. The path may be the folder or the manifest.
func TestRequirementByPath(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\n[dependencies]\nother = { path = \"./packages/core/pixi.toml\" }\nstranger = { path = \"packages\" }\n"+corePackage)
	require.Equal(t, []string{`pixi.toml:3:1 conda dependencies: other "" path`}, lines(w.Requires))
	require.Equal(t, "acme-core", w.Requires[0].Package)
}
