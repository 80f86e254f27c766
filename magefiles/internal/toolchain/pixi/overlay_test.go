package pixi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const (
	backend = "[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\nconfig = { ignore-pyproject-manifest = true }\n"

	root = `[workspace]
name = "mono"
channels = ["https://prefix.dev/pixi-build-backends", "https://prefix.dev/conda-forge"]
platforms = ["linux-64"]
preview = ["pixi-build"]
[dependencies]
base = { path = "base" }
top = { path = "top" }
`
	site = `[workspace]
name = "site"
channels = ["https://repo.prefix.dev/ours", "https://prefix.dev/conda-forge"] # first wins
platforms = ["linux-64"]

[dependencies]
base = "==1.0.0" # ours
numpy = ">=1.26"

[feature.more.dependencies]
top = { version = "==1.0.0" }

[environments]
more = ["more"]

[tasks]
check = "python -V"
`
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
}

// mono returns a workspace with two packages and a downstream.
func mono(t *testing.T, manifest string) *workspace.Workspace {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	write(t, dir, map[string]string{
		"pixi.toml":       root,
		"base/pixi.toml":  "[package]\nname = \"base\"\nversion = \"1.0.0\"\n" + backend,
		"top/pixi.toml":   "[package]\nname = \"top\"\nversion = \"1.0.0\"\n" + backend + "[package.run-dependencies]\nbase = \"==1.0.0\"\n",
		"site/pixi.toml":  manifest,
		"site/pixi.lock":  "version: 7\n",
		"site/src/app.py": "",
		"site/.pixi/x":    "",
	})
	w, err := workspace.Load(dir)
	require.NoError(t, err)
	return w
}

// TestOverlayOfSources checks that every pin on our packages is replaced with a path, that the channel is removed (it does not exist before the
// first release), that the settings for building are added, and that all other bytes are unchanged. The overlay has all files of the downstream,
// which are not modified.
func TestOverlayOfSources(t *testing.T) {
	w := mono(t, site)
	task := toolchain.Task{Dir: filepath.Join(w.Root, "site"), Supply: &toolchain.Supply{Workspace: w, Sources: true, Channel: "ours"}}
	dir, err := overlay(task)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(w.Root, ".pixi", "overlay", "sources", "site"), dir)

	got, err := os.ReadFile(filepath.Join(dir, "pixi.toml"))
	require.NoError(t, err)
	want := strings.NewReplacer(
		`["https://repo.prefix.dev/ours", "https://prefix.dev/conda-forge"]`,
		"[\"https://prefix.dev/pixi-build-backends\", \"https://prefix.dev/conda-forge\"]\npreview = [\"pixi-build\"]",
		`base = "==1.0.0"`, `base = { path = "`+w.Root+`/base" }`,
		`top = { version = "==1.0.0" }`, `top = { path = "`+w.Root+`/top" }`,
	).Replace(site)
	require.Equal(t, want, string(got))
	require.FileExists(t, filepath.Join(dir, "src", "app.py"))
	require.NoFileExists(t, filepath.Join(dir, "pixi.lock"))
	require.NoFileExists(t, filepath.Join(dir, ".pixi", "x"))
	ours, err := os.ReadFile(filepath.Join(w.Root, "site", "pixi.toml"))
	require.NoError(t, err)
	require.Equal(t, site, string(ours))

	// After a file is removed and another added, the links are updated, and pixi's own files are kept.
	write(t, dir, map[string]string{"pixi.lock": "version: 7\n", ".pixi/envs/default/here": ""})
	require.NoError(t, os.RemoveAll(filepath.Join(w.Root, "site", "src")))
	write(t, w.Root, map[string]string{"site/new.py": ""})
	_, err = overlay(task)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(dir, "new.py"))
	require.NoFileExists(t, filepath.Join(dir, "src", "app.py"))
	require.FileExists(t, filepath.Join(dir, "pixi.lock"))
	require.FileExists(t, filepath.Join(dir, ".pixi", "envs", "default", "here"))
}

func TestOverlayWithPreviews(t *testing.T) {
	for preview, want := range map[string]string{
		`preview = ["other"]`:      `preview = ["other", "pixi-build"]`,
		`preview = ["pixi-build"]`: `preview = ["pixi-build"]`,
		`preview = true`:           `preview = true`,
	} {
		w := mono(t, strings.Replace(site, "name = \"site\"", "name = \"site\"\n"+preview, 1))
		got, err := supply(w.Downstreams[0], &toolchain.Supply{Workspace: w, Sources: true, Channel: "ours"})
		require.NoError(t, err)
		require.Contains(t, string(got), "\n"+want+"\n")
		require.Equal(t, 1, strings.Count(string(got), "preview"))
	}
}

// TestOverlayOfAnotherServer checks that only the channel's URL is replaced.
func TestOverlayOfAnotherServer(t *testing.T) {
	w := mono(t, site)
	supply := &toolchain.Supply{Workspace: w, Channel: "ours", Moved: map[string]string{"https://repo.prefix.dev/ours": "http://127.0.0.1:8080/ours"}}
	dir, err := overlay(toolchain.Task{Dir: filepath.Join(w.Root, "site"), Supply: supply})
	require.NoError(t, err)
	got, err := os.ReadFile(filepath.Join(dir, "pixi.toml"))
	require.NoError(t, err)
	require.Equal(t, strings.Replace(site, "https://repo.prefix.dev/ours", "http://127.0.0.1:8080/ours", 1), string(got))
}

func TestNoOverlay(t *testing.T) {
	w := mono(t, site)
	for _, s := range []*toolchain.Supply{nil, {Workspace: w, Channel: "ours"}} {
		dir, err := overlay(toolchain.Task{Dir: filepath.Join(w.Root, "site"), Supply: s})
		require.NoError(t, err)
		require.Equal(t, filepath.Join(w.Root, "site"), dir)
	}
}

func TestImpossibleOverlay(t *testing.T) {
	w := mono(t, strings.Replace(site, `"==1.0.0" # ours`, `{ version = "==1.0.0", build = "py_0" }`, 1))
	_, err := overlay(toolchain.Task{Dir: filepath.Join(w.Root, "site"), Supply: &toolchain.Supply{Workspace: w, Sources: true, Channel: "ours"}})
	require.ErrorContains(t, err, "site/pixi.toml:7:1: cannot replace the requirement on base with the folder base")
}
