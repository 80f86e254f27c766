package embedded_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded"
)

// TestTaskEnvironment runs a task that imports a workspace package and a PyPI package. After the workspace package's source has changed, a second
// run sees the change.
func TestTaskEnvironment(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"pixi.toml":               "[dependencies]\nlib = { path = \"lib\" }\n[tasks]\nshow = \"python -c 'import lib, packaging; print(lib.text())'\"\n[tool.release.pypi]\nother = \"other\"\n",
		"lib/pixi.toml":           "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + python + "[package.run-dependencies]\npackaging = \"=26\"\n",
		"lib/pyproject.toml":      "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
		"lib/src/lib/__init__.py": "def text():\n    return 'first'\n",
		"side/pixi.toml":          "[workspace]\nname = \"side\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n[dependencies]\nlib = \"==1.0.0\"\n[tasks]\nshow = \"python -c 'import lib; print(lib.text())'\"\n",
		"behind/pixi.toml":        "[workspace]\nname = \"behind\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n[dependencies]\nlib = \"==0.9.0\"\n[tasks]\nshow = \"python -V\"\n",
		"conda-only/pixi.toml":    "[workspace]\nname = \"conda-only\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n[dependencies]\nlib = \"*\"\nother = \"==1|==2\"\n[tasks]\nshow = \"python -V\"\n",
	})
	tools := newToolchain(t, w)
	show := func(dir string) (string, error) {
		var out bytes.Buffer
		err := tools.Run(t.Context(), toolchain.Task{Dir: filepath.Join(w.Root, dir), Name: "show", Stdout: &out, Stderr: testWriter{t}})
		return out.String(), err
	}
	out, err := show("")
	require.NoError(t, err)
	require.Equal(t, "first\n", out)
	source := filepath.Join(w.Root, "lib", "src", "lib", "__init__.py")
	require.NoError(t, os.WriteFile(source, []byte("def text():\n    return 'second'\n"), 0o644))
	out, err = show("")
	require.NoError(t, err)
	require.Equal(t, "second\n", out)

	// A downstream that requires the workspace's current version gets its sources.
	out, err = show("side")
	require.NoError(t, err)
	require.Equal(t, "second\n", out)

	// Without a channel, the error says that another version cannot be installed. The same applies to a range that PEP 440 cannot express.
	_, err = show("behind")
	require.ErrorContains(t, err, "behind/pixi.toml:6:")
	require.ErrorContains(t, err, "behind asks for lib ==0.9.0, but the workspace has 1.0.0")
	_, err = show("conda-only")
	require.ErrorContains(t, err, "conda-only/pixi.toml:7:")
	require.ErrorContains(t, err, "cannot install other ==1|==2 from PyPI")
	require.ErrorContains(t, err, "PEP 440 has no equivalent of")
}

// TestInstall installs built artifacts into a clean environment and checks that modules, entry points and scripts work.
func TestInstall(t *testing.T) {
	w := goldenWorkspace(t)
	var files []string
	for _, a := range build(t, w) {
		if a.Package == "scripts" {
			files = append(files, a.Path)
		}
	}
	env, err := newToolchain(t, w).Install(t.Context(), toolchain.Install{Dir: filepath.Join(t.TempDir(), "env"), Artifacts: files})
	require.NoError(t, err)
	require.False(t, env.Solved)
	for _, script := range []string{"say-hello", "win"} {
		out, err := command.Output(t.Context(), command.NewSystem(os.Environ(), nil), command.Cmd{Name: filepath.Join(env.Dir, "bin", script)})
		require.NoError(t, err)
		require.Equal(t, "hello", out, script)
	}
}

// TestDownstreamWithAnOlderVersion has a downstream that requires an older version than the sources have. That version, and the sibling that it
// pins, come from the channel.
func TestDownstreamWithAnOlderVersion(t *testing.T) {
	files := func(version string) map[string]string {
		return map[string]string{
			"base/pixi.toml":            "[package]\nname = \"base\"\nversion = \"" + version + "\"\n" + python,
			"base/pyproject.toml":       "[project]\nname = \"base\"\nversion = \"" + version + "\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
			"base/src/base/__init__.py": "VERSION = \"" + version + "\"\n",
			"top/pixi.toml":             "[package]\nname = \"top\"\nversion = \"" + version + "\"\n" + python + "[package.run-dependencies]\nbase = \"==" + version + "\"\npackaging = \"*\"\n",
			"top/pyproject.toml":        "[project]\nname = \"top\"\nversion = \"" + version + "\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
			"top/src/top/__init__.py":   "from base import VERSION\nimport packaging\n",
			"site/pixi.toml":            "[workspace]\nname = \"site\"\nchannels = []\nplatforms = [\"linux-64\"]\n[dependencies]\ntop = \"==1.0.0\"\n[tasks]\nshow = \"python -c 'import top; print(top.VERSION)'\"\n",
		}
	}
	published := map[string]string{}
	for _, a := range build(t, writeWorkspace(t, files("1.0.0"))) {
		published[a.Package+" "+a.Index.Version] = a.Path
	}
	w := writeWorkspace(t, files("2.0.0"))
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	var asked []string
	tools := embedded.New(embedded.Config{
		Runner:    command.NewSystem(os.Environ(), nil),
		Environ:   os.Environ(),
		Cache:     filepath.Join(cache, "pixi-release"),
		Workspace: w,
		Published: func(_ context.Context, w embedded.Wanted) (string, error) {
			asked = append(asked, w.Name+" "+w.Version)
			return published[w.Name+" "+w.Version], nil
		},
	})
	var out bytes.Buffer
	err = tools.Run(t.Context(), toolchain.Task{Dir: filepath.Join(w.Root, "site"), Name: "show", Stdout: &out, Stderr: testWriter{t}})
	require.NoError(t, err)
	require.Equal(t, "1.0.0\n", out.String())
	require.Equal(t, []string{"top 1.0.0", "base 1.0.0"}, asked)
}
