package workspace

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// NotNoarch detects platform-specific packages from their manifests, for each backend.
func TestNotNoarch(t *testing.T) {
	const python = "backend = { name = \"pixi-build-python\", version = \"*\" }\n"
	backend := func(name string) string { return "backend = { name = \"" + name + "\", version = \"*\" }\n" }
	for _, c := range []struct{ name, build, requires, why string }{
		{"python", python, "hatchling", ""},
		{"python with noarch", python + "config = { noarch = true }\n", "hatchling", ""},
		{"noarch = false", python + "config = { noarch = false }\n", "hatchling", "config.noarch is false"},
		{"by the old name of the table", python + "configuration = { noarch = false }\n", "hatchling", "config.noarch is false"},
		{"compilers", python + "config.compilers = [\"c\", \"cxx\"]\n", "meson-python", "its config names compilers: c, cxx"},
		{"an empty list of compilers", python + "config.compilers = []\n", "maturin>=1", ""},
		{"compilers, but also noarch", python + "config = { noarch = true, compilers = [\"c\"] }\n", "hatchling", ""},
		{"abi3", python + "config.abi3 = true\n", "hatchling", "config.abi3 is true"},
		{"maturin", python, "maturin >=1.5,<2", "it is built by maturin"},
		{"setuptools-rust", python, "Setuptools_Rust[extra]", "it is built by setuptools-rust"},
		{"maturin that pixi does not see", python + "config = { ignore-pyproject-manifest = true }\n", "maturin", ""},
		{"one target", python + "[package.build.target.win-64.config]\nnoarch = false\n", "hatchling", "config.noarch is false for win-64"},
		{"compilers of one target", python + "[package.build.target.unix.config]\ncompilers = [\"c\"]\n", "hatchling", "its config names compilers: c for unix"},
		{"a target with compilers, but also noarch", python + "config = { noarch = true }\n[package.build.target.unix.config]\ncompilers = [\"c\"]\n", "hatchling", ""},
		{"cmake", backend("pixi-build-cmake"), "", "by pixi-build-cmake"},
		{"rust", backend("pixi-build-rust"), "", "by pixi-build-rust"},
		{"mojo", backend("pixi-build-mojo"), "", "by pixi-build-mojo"},
		{"r", backend("pixi-build-r"), "", "by pixi-build-r"},
		{"ros", backend("pixi-build-ros"), "", "by pixi-build-ros"},
		{"ros with noarch", backend("pixi-build-ros") + "config = { noarch = true, distro = \"jazzy\" }\n", "", ""},
		{"an unknown backend", backend("our-backend"), "", ""},
		{"an unknown backend with noarch", backend("our-backend") + "config = { noarch = false }\n", "", "config.noarch is false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			archive := "-- pixi.toml --\n[workspace]\nname = \"w\"\n-- lib/pixi.toml --\n[package]\nname = \"lib\"\nversion = \"0.1.0\"\n[package.build]\n" + c.build
			if c.requires != "" {
				archive += fmt.Sprintf("-- lib/pyproject.toml --\n[project]\nname = \"lib\"\nversion = \"0.1.0\"\n[build-system]\nrequires = [%q]\n", c.requires)
			}
			requireNotNoarch(t, load(t, archive), c.why)
		})
	}
}

// noarch is set per output. An output without noarch inherits the recipe's value.
func TestNotNoarchRecipe(t *testing.T) {
	for _, c := range []struct{ name, recipe, why string }{
		{"python", "package: {name: lib, version: 0.1.0}\nbuild:\n  noarch: python\n", ""},
		{"generic", "package: {name: lib, version: 0.1.0}\nbuild: {noarch: generic, number: 1}\n", ""},
		{"nothing said", "package: {name: lib, version: 0.1.0}\nbuild:\n  number: 1\n", "the recipe does not set noarch"},
		{"no build", "package: {name: lib, version: 0.1.0}\n", "the recipe does not set noarch"},
		{"null", "package: {name: lib, version: 0.1.0}\nbuild: {noarch: null}\n", "the recipe does not set noarch"},
		{"computed", "package: {name: lib, version: 0.1.0}\nbuild:\n  noarch: ${{ 'python' if pure else '' }}\n", ""},
		{"computed by if", "package: {name: lib, version: 0.1.0}\nbuild:\n  noarch:\n    if: pure\n    then: python\n", ""},
		{"all outputs", "recipe: {name: lib, version: 0.1.0}\noutputs:\n- package: {name: a}\n  build: {noarch: python}\n- package: {name: b}\n  build: {noarch: generic}\n", ""},
		{"one output", "recipe: {name: lib, version: 0.1.0}\noutputs:\n- package: {name: a}\n  build: {noarch: python}\n- package: {name: b}\n", "the output b of the recipe does not set noarch"},
		{"inherited", "recipe: {name: lib, version: 0.1.0}\nbuild: {noarch: generic}\noutputs:\n- package: {name: a}\n- package: {name: b}\n", ""},
		{"an output under a condition", "recipe: {name: lib, version: 0.1.0}\noutputs:\n- if: unix\n  then:\n  - package: {name: c}\n", "the output c of the recipe does not set noarch"},
		{"a staging output is not a package", "recipe: {name: lib, version: 0.1.0}\noutputs:\n- staging: {name: s}\n- package: {name: a}\n  build: {noarch: python}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			requireNotNoarch(t, load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n-- lib/pixi.toml --\n[package]\nname = \"lib\"\n[package.build]\nbackend.name = \"pixi-build-rattler-build\"\n-- lib/recipe.yaml --\n"+c.recipe), c.why)
		})
	}
}

func requireNotNoarch(t *testing.T, w *Workspace, why string) {
	t.Helper()
	found := w.NotNoarch()
	if why == "" {
		require.Empty(t, found)
		return
	}
	require.Len(t, found, 1)
	require.Equal(t, why, found[0].Why)
	err := found[0].Err()
	require.True(t, strings.HasPrefix(err.Summary, "lib/"), err.Summary)
	require.Contains(t, err.Summary, ": lib cannot be published: it is built for one platform ("+why+")")
	require.Contains(t, err.Next, "noarch")
}
