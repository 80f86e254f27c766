package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
	"github.com/stretchr/testify/require"
)

// fullPackage is a workspace with one package that sets every key.
const fullPackage = `
-- pixi.toml --
[workspace]
name = "w"
license = "MIT"
homepage = "https://example.org"
[workspace.dependencies]
pixi-build-python = ">=0.8"
-- a/pixi.toml --
[package]
name = "a"
version = "0.1.0"
description = "from pixi"
license = { workspace = true }
homepage.workspace = true
publish = true
[package.build]
backend = { name = "pixi-build-python", workspace = true, channels = ["c"], additional-dependencies = { x = "*" } }
build-number = 4
build-string-prefix = "cuda"
flags = ["f"]
secrets = ["GH_TOKEN"]
[package.build.config]
noarch = false
extra-args = ["-v"]
env = { B = "1", A = "2" }
compilers = ["c"]
ignore-pypi-mapping = false
skip-pyc-compilation = ["tests/**"]
installer = "pip"
abi3 = true
whatever = 1
[package.build.target.win-64.config]
noarch = true
[package.run-dependencies]
zlib = { version = ">=1", channel = "c", build = "h*", build-number = ">=3", subdir = "linux-64", extras = ["e"] }
tool = { git = "https://x/y", tag = "v1" }
-- a/pyproject.toml --
[project]
name = "A"
version = "0.1.0"
description = "from project"
license = { file = "LICENSE" }
license-files = ["L*"]
requires-python = ">=3.11"
dynamic = ["readme"]
[project.urls]
Repository = "https://r"
Documentation = "https://d"
[project.scripts]
say = "a:main"
other = "a.cli:run"
[project.gui-scripts]
win = "a:win"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
`

// Load reads all package metadata that toolchains need.
func TestBuildAndProject(t *testing.T) {
	w := load(t, fullPackage)
	a := w.Packages[0]
	b := a.Build
	require.Equal(t, []string{"pixi-build-python", ">=0.8", "cuda", "a/pixi.toml:8:10"}, []string{b.Backend, b.Spec.Text, b.Prefix, b.Pos.String()})
	require.EqualValues(t, 4, b.Number)
	require.Equal(t, [][]string{{"c"}, {"f"}, {"GH_TOKEN"}}, [][]string{b.Channels, b.Flags, b.Secrets})
	require.Equal(t, []string{"x *"}, deps(b.Additional))
	require.Equal(t, "package.build.backend.additional-dependencies", b.Additional[0].Table)
	require.False(t, *b.Python.Noarch)
	require.Equal(t, manifest.PythonConfig{
		Noarch:       b.Python.Noarch,
		ExtraArgs:    []string{"-v"},
		Env:          []manifest.KeyValue{{Key: "B", Value: "1"}, {Key: "A", Value: "2"}},
		Compilers:    []string{"c"},
		SkipPycGlobs: []string{"tests/**"},
		Installer:    "pip",
		ABI3:         true,
		UnknownKeys:  []string{"whatever"},
	}, b.Python)
	require.Equal(t, int64(1), b.Config["whatever"])
	require.Equal(t, "win-64", b.Targets[0].Selector)
	require.Equal(t, map[string]any{"noarch": true}, b.Targets[0].Config)
	require.Equal(t, manifest.Metadata{Description: "from pixi", License: "MIT", Homepage: "https://example.org"}, a.Metadata)
	require.True(t, a.Publish)

	zlib := a.Dependencies(manifest.RoleRun)[0].Spec
	require.Equal(t, []string{">=1", "c", "h*", ">=3", "linux-64", "e"}, []string{zlib.Text, zlib.Channel, zlib.Build, zlib.Number, zlib.Subdir, zlib.Extras[0]})
	tool := a.Dependencies(manifest.RoleRun)[1].Spec
	require.True(t, tool.Source())
	require.Equal(t, []string{"https://x/y", "v1"}, []string{tool.Git, tool.Ref})

	p := a.Project
	require.Equal(t, []string{"A", ">=3.11", "from project", "LICENSE", "hatchling.build"}, []string{p.Name, p.RequiresPython, p.Description, p.LicenseFile, p.BuildBackend})
	require.Equal(t, []manifest.KeyValue{{Key: "Repository", Value: "https://r"}, {Key: "Documentation", Value: "https://d"}}, p.URLs)
	require.Equal(t, []manifest.KeyValue{{Key: "say", Value: "a:main"}, {Key: "other", Value: "a.cli:run"}}, p.Scripts)
	require.Equal(t, []manifest.KeyValue{{Key: "win", Value: "a:win"}}, p.GUIScripts)
	require.Equal(t, [][]string{{"hatchling"}, {"L*"}, {"readme"}}, [][]string{p.BuildRequires, p.LicenseFiles, p.Dynamic})

	defaults := manifest.PythonConfig{IgnoreMapping: true, Installer: "uv"}
	require.Equal(t, defaults, load(t, "-- pixi.toml --\n[workspace]\n-- a/pixi.toml --\n"+pkg("a", "")).Packages[0].Build.Python)
}

// many creates a workspace with n typical packages. Odd packages pin their predecessor, and even ones pin the first package.
func many(t testing.TB, n int) string {
	root := t.TempDir()
	write := func(name, text string) {
		name = filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\n")
	for i := range n {
		dir, pin, pip := fmt.Sprintf("packages/p%04d", i), "", ""
		if i > 0 {
			on := (i - 1) * (i % 2)
			pin, pip = fmt.Sprintf("acme-p%04d = \"==0.1.0\"\n", on), fmt.Sprintf("\"acme-p%04d==0.1.0\", ", on)
		}
		write(dir+"/pixi.toml", fmt.Sprintf("[package]\nname = \"acme-p%04d\"\nversion = \"0.1.0\"\n\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\nconfig = { noarch = true }\n\n"+
			"[package.host-dependencies]\nhatchling = \"*\"\nuv = \"*\"\n\n[package.run-dependencies]\n%snumpy = \">=1.26,<3\"\n", i, pin))
		write(dir+"/pyproject.toml", fmt.Sprintf("[project]\nname = \"acme-p%04d\"\nversion = \"0.1.0\"\nrequires-python = \">=3.11\"\ndependencies = [%s\"numpy>=1.26\"]\n\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n", i, pip))
		write(fmt.Sprintf("%s/src/acme_p%04d/__init__.py", dir, i), "")
	}
	return root
}

func TestManyPackages(t *testing.T) {
	w, err := Load(many(t, 300))
	require.NoError(t, err)
	require.Len(t, w.Order(), 300)
	require.Empty(t, w.Disagreements())
	require.Len(t, w.Dependents("acme-p0000"), 299)
}

// BenchmarkLoad loads a thousand packages, which takes about 0.1 s.
func BenchmarkLoad(b *testing.B) {
	root := many(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(root); err != nil {
			b.Fatal(err)
		}
	}
}
