package workspace

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Sources returns source folders, wherever they are, and a second list with the folders that manifests only refer to.
func TestSources(t *testing.T) {
	w := load(t, `
-- pixi.toml --
[workspace]
name = "w"
[dependencies]
a = { path = "a" }
theme = { path = "vendor/theme" }
[feature.x.pypi-dependencies]
tool = { path = "./tools/tool", editable = true }
-- a/pixi.toml --
[package]
name = "a"
version = "0.1.0"
[package.build]
backend.name = "pixi-build-cmake"
source.path = "../src/a"
[package.host-dependencies]
lib = { path = "../vendor/lib" }
-- b/pixi.toml --
[package]
name = "b"
version = "0.1.0"
[package.build]
backend.name = "pixi-build-cmake"
source.path = "../../outside"
-- c/pixi.toml --
[package]
name = "c"
version = "0.1.0"
[package.build]
backend.name = "pixi-build-cmake"
source = { git = "https://example.invalid/c" }
`)
	packed, named := w.Sources(w.Packages...)
	require.Equal(t, []string{"a", "src/a", "b", "../outside", "c"}, packed)
	require.Equal(t, []string{"vendor/lib", "a", "vendor/theme", "tools/tool"}, named)
	a, err := w.Package("a")
	require.NoError(t, err)
	packed, _ = w.Sources(a)
	require.Equal(t, []string{"a", "src/a"}, packed)
	require.Contains(t, ManifestNames(), "recipe.yaml")
}
