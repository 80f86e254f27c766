package embedded_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestRefusedByName checks that packages that only pixi can build are rejected, and that nothing is written. The error has the package, its manifest,
// the reason, and how to build the package.
func TestRefusedByName(t *testing.T) {
	for _, c := range []struct{ name, manifest, why string }{
		{"another backend", "[package.build]\nbackend = { name = \"pixi-build-rust\", version = \"*\" }", "its build backend is pixi-build-rust"},
		{"one platform", python + "config = { noarch = false }", "it is built for one platform (noarch = false)"},
		{"compilers", python + "config = { compilers = [\"c\"] }", "it needs compilers"},
		{"mapping", python + "config = { ignore-pypi-mapping = false }", "mapped from PyPI by a service"},
		{"unknown configuration", python + "config = { nonsense = 1 }", "does not know the configuration nonsense"},
		{"git source", python + "source = { git = \"https://example.invalid/x.git\" }", "its sources are fetched"},
		{"pin-compatible", python + "[package.run-dependencies]\nnumpy = { pin-compatible = true }", "numpy is pinned to the version in the host environment"},
		{"extras", python + "[package.extra-dependencies.gui]\npanel = \"*\"", "it has extra dependencies"},
		{"run exports", python + "[package.run-exports.weak]\nlib = \"*\"", "it has run exports"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := writeWorkspace(t, map[string]string{
				"lib/pixi.toml":      "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + c.manifest + "\n",
				"lib/pyproject.toml": "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n",
			})
			err := refusal(t, w)
			require.ErrorContains(t, err, "lib/pixi.toml:")
			require.ErrorContains(t, err, "the embedded toolchain cannot build lib: ")
			require.ErrorContains(t, err, c.why)
			require.NoDirExists(t, filepath.Join(w.Root, "output"))
		})
	}
}

const python = "[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n"

// With a compiling backend, pixi would not build a noarch package either.
func TestCompiledBackendIsRefused(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"lib/pixi.toml":      "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + python,
		"lib/pyproject.toml": "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"maturin>=1\"]\nbuild-backend = \"maturin\"\n",
	})
	require.ErrorContains(t, refusal(t, w), "it needs a compiler (maturin)")
}

// pixi looks for a version only in [package], and for a static version in [project].
func TestVersionThatPixiIgnores(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"lib/pixi.toml":           "[package]\nname = \"lib\"\n" + python,
		"lib/pyproject.toml":      "[project]\nname = \"lib\"\ndynamic = [\"version\"]\n[tool.hatch.version]\npath = \"src/lib/__init__.py\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
		"lib/src/lib/__init__.py": "__version__ = \"1.0.0\"\n",
	})
	require.ErrorContains(t, refusal(t, w), "pixi finds no version of this package")
}

// pixi-build-python passes license files as paths, so a missing file, including an unexpanded pattern, fails the build.
func TestMissingLicenseFile(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"lib/pixi.toml":      "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + python,
		"lib/pyproject.toml": "[project]\nname = \"lib\"\nversion = \"1.0.0\"\nlicense-files = [\"LICENSE*\"]\n",
		"lib/LICENSE":        "text",
	})
	require.ErrorContains(t, failure(t, w, nil), "the license file lib/LICENSE* of lib does not exist")
}

// A failed build prints the backend's output.
func TestFailingBuild(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"lib/pixi.toml":      "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + python,
		"lib/pyproject.toml": "[project]\nname = \"lib\"\nversion = \"1.0.0\"\nreadme = \"NO-SUCH.md\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
	})
	err := failure(t, w, nil)
	require.ErrorContains(t, err, "building lib (lib): python ended with exit status 1")
	require.NoDirExists(t, filepath.Join(w.Root, "output"))
}

// refusal returns the error of a build that is rejected before its sources are taken.
func refusal(t *testing.T, w *workspace.Workspace) error { return failure(t, w, untaken{}) }

func failure(t *testing.T, w *workspace.Workspace, sources toolchain.Sources) error {
	_, err := newToolchain(t, w).Build(t.Context(), toolchain.Build{
		Workspace:  w,
		Packages:   w.Order(),
		Dir:        filepath.Join(w.Root, "output"),
		SourceDate: sourceDate,
		Log:        io.Discard,
		Sources:    sources,
	})
	require.Error(t, err)
	return err
}

// untaken is a toolchain.Sources whose Take must not be called.
type untaken struct{}

func (untaken) Take(context.Context, ...*workspace.Package) (string, func([]string, error) error, error) {
	return "", nil, errors.New("the sources of a build that is refused were taken")
}

func writeWorkspace(t *testing.T, files map[string]string) *workspace.Workspace {
	root, files := t.TempDir(), maps.Clone(files)
	files["pixi.toml"] = "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\npreview = [\"pixi-build\"]\n" + files["pixi.toml"]
	for name, text := range files {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(strings.TrimLeft(text, "\n")), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}
