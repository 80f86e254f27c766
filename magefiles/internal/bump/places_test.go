package bump_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// everywhere has versions and requirements in all places and notations of pixi-facts.md §1.1 to §1.3. Lines that end in "stays" are not exact pins on
// our packages.
const everywhere = `
-- pixi.toml --
[workspace]
name = "acme"
version = "0.1.6" # all packages have it, though none inherits it
exclude-newer = "5d"
[workspace.dependencies]
acme-core = { path = "core", version = "==0.1.6" }
numpy = "==0.1.6" # stays: a stranger's
[dependencies]
acme-core = { workspace = true, build = "py*" }
acme-ui = { path = "ui" }
Acme-UI-Kit = "==0.1.6" # stays: a stranger with our prefix
[constraints]
acme-core = ">=0.1,<1" # stays: a range that admits it
[dev]
acme-core = { path = "core" }
[target.linux-64.dependencies]
acme-core = "==0.1.6"
[feature.x]
dependencies = { ACME-core = "==0.1.6", acme_core = "==0.1.6" } # the second one stays: '_' is another name to conda
[feature.y.pypi-dependencies]
Acme_Core = "==0.1.6"
acme-core-extras = "==0.1.6"
[feature.old.dependencies]
acme-core = "==0.1.2"
[environments.e.dependencies]
acme-core.version = "==0.1.6"
-- core/pixi.toml --
[package]
name = "acme-core"
version = "0.1.6"
description = "as of ==0.1.6" # acme-core==0.1.6
[package.build]
backend = { name = "pixi-build-python", version = "==0.1.6" }
build-number = 0
-- core/pyproject.toml --
[project]
name = "acme.core"
version = '0.1.6'
requires-python = "==0.1.6"
dependencies = []
optional-dependencies = { all = ["Acme.Core[a]==0.1.6", "acme-core"] }
-- core/src/acme_core/__init__.py --
"""Since 0.1.6."""
__version__ = "0.1.6"
SINCE = "0.1.6"
-- ui/pixi.toml --
[package]
name = "acme-ui"
version = "0.1.6"
run-exports = { weak = { acme-core = "==0.1.6" } }

[package.build]
backend = { name = "pixi-build-python" }

[package.host-dependencies]
acme-core = { path = "../core" }
[package.build-dependencies]
"ACME-core" = { path = "../core/pixi.toml", version = "==0.1.6" }
[package.run-dependencies]
acme-core = "0.1.6" # a bare version is exact to conda, and keeps its spelling
other = "==0.1.6"
[package.run-dependencies."if(matches(python, '>=3.10'))"]
acme-core = {
  version = "==0.1.6",  # TOML 1.1
}
[package.run-constraints.acme-core]
version = "==0.1.6"
[package.extra-dependencies.gui]
acme-core = { pin-compatible = { exact = true } }
[package.extra-dependencies.gui."if(linux)"]
acme-core = "=0.1"
[package.target.linux-64.run-dependencies]
acme-core.version = " == 0.1.6 "
-- ui/pyproject.toml --
[build-system]
requires = ["hatchling", "acme-core ==0.1.6"]
[project]
name = "acme-ui"
dynamic = ["version"]
dependencies = [
  "acme_core == 0.1.6", # acme-core==0.1.6
  'ACME--core[a, b] (==0.1.6) ; python_version < "0.1.6"',
  "\u0061cme.core===0.1.6", "acme-core-extras==0.1.6", "acme-core~=0.1.6", "acme-core==0.1.*",
]
[dependency-groups]
dev = [{ include-group = "test" }, "acme-core==0.1.6", "acme-core @ file:///0.1.6"]
[tool.hatch.version]
path = "about.py"
[tool.hatch.envs.test]
dependencies = ["acme-core==0.1.6"]
[tool.poetry.group.docs.dependencies]
acme-core = { version = "^0.1", extras = ["0.1.6"] }
[tool.uv.sources]
acme-core = { path = "../core" }
-- ui/about.py --
# VERSION = "0.1.6"
VERSION = "0.1.6"
-- app/pixi.toml --
[workspace]
name = "app"
version = "0.1.6"
[dependencies]
acme-core = "==0.1.6"
`

func TestEveryPlace(t *testing.T) {
	root := tree(t, everywhere)
	p := plan(t, root, bump.Request{To: "patch"}, nil)
	require.Equal(t, []string{
		"acme-core 0.1.6 → 0.1.7: asked, lockstep",
		"acme-ui 0.1.6 → 0.1.7: asked, lockstep",
	}, moves(p))
	require.Equal(t, []string{
		`core/pixi.toml:3 0.1.6 → 0.1.7`,
		`core/pyproject.toml:3 0.1.6 → 0.1.7`,
		`core/pyproject.toml:6 0.1.6 → 0.1.7`,
		`core/src/acme_core/__init__.py:2 0.1.6 → 0.1.7`,
		`pixi.toml:3 0.1.6 → 0.1.7`,
		`pixi.toml:6 0.1.6 → 0.1.7`,
		`pixi.toml:17 0.1.6 → 0.1.7`,
		`pixi.toml:19 0.1.6 → 0.1.7`,
		`pixi.toml:21 0.1.6 → 0.1.7`,
		`pixi.toml:26 0.1.6 → 0.1.7`,
		`ui/about.py:2 0.1.6 → 0.1.7`,
		`ui/pixi.toml:3 0.1.6 → 0.1.7`,
		`ui/pixi.toml:4 0.1.6 → 0.1.7`,
		`ui/pixi.toml:12 0.1.6 → 0.1.7`,
		`ui/pixi.toml:14 0.1.6 → 0.1.7`,
		`ui/pixi.toml:18 0.1.6 → 0.1.7`,
		`ui/pixi.toml:21 0.1.6 → 0.1.7`,
		`ui/pixi.toml:27 0.1.6 → 0.1.7`,
		`ui/pyproject.toml:2 0.1.6 → 0.1.7`,
		`ui/pyproject.toml:7 0.1.6 → 0.1.7`,
		`ui/pyproject.toml:8 0.1.6 → 0.1.7`,
		`ui/pyproject.toml:9 0.1.6 → 0.1.7`,
		`ui/pyproject.toml:12 0.1.6 → 0.1.7`,
		`ui/pyproject.toml:16 0.1.6 → 0.1.7`,
	}, edits(p))
	require.Equal(t, []string{"pixi.toml:24 pins acme-core to 0.1.2, which is not the current version, so the pin is not changed"}, p.Notes)
	apply(t, root, p)
	require.Empty(t, load(t, root).Disagreements())
}

// An inherited value is changed once, where it is defined.
func TestInheritedVersion(t *testing.T) {
	root := tree(t, `
-- pixi.toml --
[workspace]
name = "acme"
version = "0.1.6"
-- a/pixi.toml --
[package]
name = "a"
version.workspace = true
build.backend.name = "pixi-build-cmake"
-- b/pixi.toml --
[package]
name = "b"
version = { workspace = true }
build.backend.name = "pixi-build-cmake"
run-dependencies = { a = "==0.1.6" }
`)
	p := plan(t, root, bump.Request{To: "minor"}, nil)
	require.Equal(t, []string{"b/pixi.toml:5 0.1.6 → 0.2.0", "pixi.toml:3 0.1.6 → 0.2.0"}, edits(p))
	apply(t, root, p)
}

// Other layouts: a manifest that is also a pyproject.toml, a recipe with pins, and a package with sources elsewhere.
func TestOtherShapes(t *testing.T) {
	root := tree(t, `
-- pyproject.toml --
[project]
name = "acme"
version = "0.1.6"
dependencies = ["lib==0.1.6"]
[tool.pixi.workspace]
channels = []
[tool.pixi.package]
build.backend.name = "pixi-build-python"
[tool.pixi.package.run-dependencies]
lib = "==0.1.6"
[tool.pixi.dependencies]
lib = { path = "lib", version = "==0.1.6" }
-- lib/pixi.toml --
[package]
name = "lib"
version = "0.1.6"
build.backend.name = "pixi-build-rattler-build"
-- lib/recipe.yaml --
context:
  version: "0.1.6" # keep
package: {name: lib, version: "${{ version }}"}
requirements:
  run:
    - deep ==0.1.6
    - if: unix
      then: ["deep 0.1.6", 'other ==0.1.6', "deep >=0.1"]
    - ${{ pin_subpackage("lib") }}
-- deep/pixi.toml --
[package]
build = { backend.name = "pixi-build-python", source.path = "../src/deep" }
-- src/deep/pyproject.toml --
[project]
name = "deep"
version = "0.1.6"
`)
	p := plan(t, root, bump.Request{To: "0.2.0"}, nil)
	require.Equal(t, []string{
		"lib/pixi.toml:3 0.1.6 → 0.2.0",
		"lib/recipe.yaml:2 0.1.6 → 0.2.0",
		"lib/recipe.yaml:6 0.1.6 → 0.2.0",
		"lib/recipe.yaml:8 0.1.6 → 0.2.0",
		"pyproject.toml:3 0.1.6 → 0.2.0",
		"pyproject.toml:4 0.1.6 → 0.2.0",
		"pyproject.toml:10 0.1.6 → 0.2.0",
		"pyproject.toml:12 0.1.6 → 0.2.0",
		"src/deep/pyproject.toml:3 0.1.6 → 0.2.0",
	}, edits(p))
	apply(t, root, p)
}

// If a tool derives the version from the last tag, only static copies and pins are edited, and a note explains this.
func TestVersionFromTheLastTag(t *testing.T) {
	root := tree(t, `
-- pixi.toml --
[workspace]
name = "acme"
-- a/pixi.toml --
[package]
build.backend.name = "pixi-build-python"
-- a/pyproject.toml --
[project]
name = "a"
dynamic = ["version"]
[tool.hatch.version]
source = "vcs"
-- b/pixi.toml --
[package]
name = "b"
version = "0.1.6"
build.backend.name = "pixi-build-python"
run-dependencies = { a = "==0.1.6" }
-- b/pyproject.toml --
[project]
name = "b"
dynamic = ["version"]
[tool.setuptools_scm]
`)
	h := history{tags: map[string]string{"v0.1.6": "1", "v0.1.5": "2", "other": "3", "v1": "4"}}
	delete(h.tags, "v1")
	p := plan(t, root, bump.Request{To: "patch"}, h)
	require.Equal(t, []string{"b/pixi.toml:3 0.1.6 → 0.1.7", "b/pixi.toml:5 0.1.6 → 0.1.7"}, edits(p))
	require.Len(t, p.Packages, 2)
	require.Equal(t, []string{
		"a/pyproject.toml:4:13: hatch-vcs derives the version of a from the tag, so only copies of the version are edited",
		"b/pyproject.toml:4:7: setuptools-scm derives the version of b from the tag, so only copies of the version are edited",
	}, p.Notes)
	apply(t, root, p)

	_, err := bump.New(t.Context(), load(t, root), bump.Request{To: "patch"}, history{})
	require.ErrorContains(t, err, "the version of a comes from its last tag (hatch-vcs), but the package has no tag")
}

// Unknown versions are errors, not guesses.
func TestUnknownVersions(t *testing.T) {
	const root = "-- pixi.toml --\n[workspace]\nname = \"acme\"\n"
	require.Contains(t, refused(t, tree(t, root+"-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = \"dynamic\"\nbuild.backend.name = \"x\"\n"), bump.Request{To: "patch"}),
		`a/pixi.toml:3:11: cannot bump a: "dynamic" is not a version`)
	require.Contains(t, refused(t, tree(t, root+"-- a/pixi.toml --\n[package]\nname = \"a\"\nversion = \"0.2.0-rc.1\"\nbuild.backend.name = \"x\"\n"), bump.Request{To: "patch"}),
		`0.2.0rc1 is accepted`)
	require.Contains(t, refused(t, tree(t, root+"-- a/pixi.toml --\n[package]\nname = \"a\"\nbuild.backend.name = \"pixi-build-rust\"\n"), bump.Request{To: "patch"}),
		`is computed during the build (pixi-build-rust)`)
	require.Contains(t, refused(t, tree(t, root), bump.Request{To: "patch"}), "has no package")
}
