package bump_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// envCopies is a workspace whose manifests set the versions that tools would otherwise derive from tags.
const envCopies = `
-- pixi.toml --
[workspace]
name = "acme"
-- core/pixi.toml --
[package]
name = "core"
version = "1.2.0"
[package.build]
backend.name = "pixi-build-python"
config = {env = {'SETUPTOOLS_SCM_PRETEND_VERSION' = ' v1.2.0', A="1.2.0"}, extra-args = [ ]} # 1.2.0
[package.build.target.osx-arm64.config.env]
"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE"   =   """
1.2.0"""
SETUPTOOLS_SCM_PRETEND_VERSION_FOR_NUMPY = "1.2.0"
PBR_VERSION = "${{ version }}"
-- core/pyproject.toml --
[project]
name = "acme-core"
dynamic = ["version"]
[tool.setuptools_scm]
-- ui/pyproject.toml --
[project]
name = "acme-ui"
dynamic = ["version"]
[tool.poetry-dynamic-versioning]
enable = true
[tool.pixi.package]
version = "1.2.0"
build.backend.name = "pixi-build-python"
build.config.env.POETRY_DYNAMIC_VERSIONING_BYPASS = "\u0031.2.0"
build.config.env.POETRY_DYNAMIC_VERSIONING_OVERRIDE = "numpy=1.2.0,acme-core=1.2.0,acme-ui=1.2.0"
`

// TestEnvCopies edits the versions in build environments, in any notation, and nothing else.
func TestEnvCopies(t *testing.T) {
	t.Parallel()
	root := tree(t, envCopies)
	p := plan(t, root, bump.Request{To: "minor"}, history{tags: map[string]string{"v1.2.0": "1"}})
	require.Equal(t, []string{
		"core/pixi.toml:3 1.2.0 → 1.3.0", "core/pixi.toml:6 1.2.0 → 1.3.0", "core/pixi.toml:9 1.2.0 → 1.3.0",
		"ui/pyproject.toml:7 1.2.0 → 1.3.0", `ui/pyproject.toml:9 \u0031.2.0 → 1.3.0`,
		"ui/pyproject.toml:10 1.2.0 → 1.3.0", "ui/pyproject.toml:10 1.2.0 → 1.3.0",
	}, edits(p))
	apply(t, root, p)
	for file, want := range map[string]string{
		"core/pixi.toml":    "config = {env = {'SETUPTOOLS_SCM_PRETEND_VERSION' = ' v1.3.0', A=\"1.2.0\"}, extra-args = [ ]} # 1.2.0\n",
		"ui/pyproject.toml": "OVERRIDE = \"numpy=1.2.0,acme-core=1.3.0,acme-ui=1.3.0\"\n",
	} {
		got, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
		require.NoError(t, err)
		require.Contains(t, string(got), want)
	}
	require.Empty(t, load(t, root).Disagreements())
}

// TestEnvCopiesOfIndependentVersions moves one package. Another package's manifest may contain that version, and is otherwise not changed.
func TestEnvCopiesOfIndependentVersions(t *testing.T) {
	t.Parallel()
	root := tree(t, envCopies)
	file := filepath.Join(root, "pixi.toml")
	require.NoError(t, os.WriteFile(file, []byte("[workspace]\nname = \"acme\"\n[tool.release]\nversioning = \"independent\"\n"), 0o644))
	p := plan(t, root, bump.Request{To: "patch", Only: "core"}, history{})
	require.Equal(t, []string{
		"core/pixi.toml:3 1.2.0 → 1.2.1", "core/pixi.toml:6 1.2.0 → 1.2.1", "core/pixi.toml:9 1.2.0 → 1.2.1", "ui/pyproject.toml:10 1.2.0 → 1.2.1",
	}, edits(p))

	write := "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE = \"1.1\"\n"
	manifest := filepath.Join(root, "core/pixi.toml")
	src, err := os.ReadFile(manifest)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(manifest, append(src, "[package.build.target.linux-64.config.env]\n"+write...), 0o644))
	require.Contains(t, refused(t, root, bump.Request{To: "patch", Only: "core"}), "core/pixi.toml:13:48: core has version 1.1, but 1.2.0 in core/pixi.toml:3")
	p = plan(t, root, bump.Request{To: "patch", Only: "core", FixDrift: true}, history{})
	require.Contains(t, edits(p), "core/pixi.toml:13 1.1 → 1.2.1")
}
