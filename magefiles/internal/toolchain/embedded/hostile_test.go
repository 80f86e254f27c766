package embedded_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/pypitest"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// hatchlingPackage returns a workspace with one package that is built by hatchling. `requires` is the list in the package's [build-system] table.
func hatchlingPackage(t *testing.T, requires string) *workspace.Workspace {
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":           "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"a/pixi.toml":         "[package]\nname = \"a\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n[package.host-dependencies]\nhatchling = \"*\"\n",
		"a/pyproject.toml":    "[project]\nname = \"a\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [" + requires + "]\nbuild-backend = \"hatchling.build\"\n",
		"a/src/a/__init__.py": "",
	} {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

// withCache returns a toolchain with a separate cache that links to the installed tools, and with additional variables.
func withCache(t *testing.T, w *workspace.Workspace, log io.Writer, cache string, set ...string) *embedded.Toolchain {
	shared, err := os.UserCacheDir()
	require.NoError(t, err)
	tools := filepath.Join(shared, "pixi-release", "tools")
	require.NoError(t, os.MkdirAll(tools, 0o755))
	if _, err := os.Lstat(filepath.Join(cache, "tools")); err != nil {
		require.NoError(t, os.Symlink(tools, filepath.Join(cache, "tools")))
	}
	env := command.Setenv(os.Environ(), set...)
	return embedded.New(embedded.Config{Runner: command.NewSystem(env, nil), Environ: env, Cache: cache, Workspace: w, Log: log})
}

func buildOf(t *testing.T, e *embedded.Toolchain, w *workspace.Workspace) error {
	_, err := e.Build(t.Context(), toolchain.Build{Workspace: w, Packages: w.Order(), Dir: filepath.Join(w.Root, "output"), SourceDate: sourceDate})
	return err
}

// TestHostileIndexHasOtherBackends checks that the pins are enforced if the index lacks a pinned version or has different bytes for it.
func TestHostileIndexHasOtherBackends(t *testing.T) {
	for name, also := range map[string][]string{
		"other versions": nil,
		"other bytes":    {"1.33.0", "1.1.1", "26.3", "1.7.0", "2026.9.21.13"},
	} {
		t.Run(name, func(t *testing.T) {
			w, cache := hatchlingPackage(t, `"hatchling"`), t.TempDir()
			require.NoError(t, buildOf(t, withCache(t, w, io.Discard, t.TempDir()), w)) // installs the tools
			index := pypitest.Start(t)
			index.Also = also
			err := buildOf(t, withCache(t, w, io.Discard, cache, index.Environ(t)...), w)
			require.ErrorContains(t, err, "installing the build backend")
			require.Contains(t, index.Asked(), "hatchling")
			made, err := filepath.Glob(filepath.Join(cache, "backends", "*", ".complete"))
			require.NoError(t, err)
			require.Empty(t, made, "an incomplete environment is not kept")
		})
	}
}

// TestHostileConfigurationOfTheProject checks that no configuration file in the project can redirect the installation of build backends or of our
// tools.
func TestHostileConfigurationOfTheProject(t *testing.T) {
	w, index := hatchlingPackage(t, `"hatchling"`), pypitest.Start(t)
	evil := "[[index]]\nurl = \"" + index.URL + "\"\ndefault = true\n"
	for name, text := range map[string]string{
		"uv.toml": evil, "a/uv.toml": evil, "pip.py": "open('pip-ran', 'w')\n", "venv.py": "open('venv-ran', 'w')\n",
		"pip.conf": "[global]\nindex-url = " + index.URL + "\n", "site.py": "open('site-ran', 'w')\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(w.Root, name), []byte(text), 0o644))
	}
	t.Chdir(w.Root)
	env := os.Environ()
	cache := t.TempDir()
	e := embedded.New(embedded.Config{Runner: command.NewSystem(env, nil), Environ: env, Cache: cache, Workspace: w, Log: io.Discard})
	require.NoError(t, buildOf(t, e, w))
	require.Empty(t, index.Asked())
	ran, err := filepath.Glob("*-ran")
	require.NoError(t, err)
	require.Empty(t, ran)
}

// TestMirrorOfThePerson checks that backends are installed from the index in the user's configuration.
func TestMirrorOfThePerson(t *testing.T) {
	w, index, config := hatchlingPackage(t, `"hatchling"`), pypitest.Start(t), t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(config, "uv"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(config, "uv", "uv.toml"), []byte("[[index]]\nurl = \""+index.URL+"\"\ndefault = true\n"), 0o644))
	require.Error(t, buildOf(t, withCache(t, w, io.Discard, t.TempDir(), "XDG_CONFIG_HOME="+config, "UV_CACHE_DIR="+t.TempDir()), w), "this index has only other versions")
	require.Contains(t, index.Asked(), "hatchling")
}

// TestUnpinnedBackends checks that unpinned backends are reported, and installed only for the package that requires them.
func TestUnpinnedBackends(t *testing.T) {
	cache := t.TempDir()
	environments := func() int {
		made, err := filepath.Glob(filepath.Join(cache, "backends", "*", ".complete"))
		require.NoError(t, err)
		return len(made)
	}
	for i, requires := range []string{`"hatchling<1.30"`, `"hatchling<1.30"`, `"hatchling"`, `"hatchling"`} {
		w := hatchlingPackage(t, requires)
		var log bytes.Buffer
		require.NoError(t, buildOf(t, withCache(t, w, &log, cache), w))
		require.Equal(t, strings.Contains(requires, "<"), strings.Contains(log.String(), "a is built by backends that are not pinned (hatchling<1.30)"), log.String())
		require.Equal(t, min(i+1, 3), environments(), "each package with unpinned backends has its own environment, and all others share one")
	}
}
