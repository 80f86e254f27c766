package embedded_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pypitest"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// uv uses the mirror that is configured for pip by a variable, by a file that a variable points to, or by the user's file.
func TestMirrorOfPip(t *testing.T) {
	conf := func(index *pypitest.Index, file string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte("[global]\nindex-url = "+index.URL+"\n"), 0o644))
	}
	file, config := filepath.Join(t.TempDir(), "my pip.conf"), t.TempDir()
	for name, of := range map[string]func(index *pypitest.Index) []string{
		"PIP_INDEX_URL":   func(index *pypitest.Index) []string { return []string{"PIP_INDEX_URL=" + index.URL} },
		"PIP_CONFIG_FILE": func(index *pypitest.Index) []string { conf(index, file); return []string{"PIP_CONFIG_FILE=" + file} },
		"XDG_CONFIG_HOME": func(index *pypitest.Index) []string {
			conf(index, filepath.Join(config, "pip", "pip.conf"))
			return []string{"XDG_CONFIG_HOME=" + config}
		},
	} {
		w, index := hatchlingPackage(t, `"hatchling"`), pypitest.Start(t)
		set := append(of(index), "UV_CACHE_DIR="+t.TempDir(), "UV_DEFAULT_INDEX=", "UV_INDEX_URL=")
		require.Error(t, buildOf(t, withCache(t, w, io.Discard, t.TempDir(), set...), w), "this index has only other versions")
		require.Contains(t, index.Asked(), "hatchling", name)
	}
	w, index, other := hatchlingPackage(t, `"hatchling"`), pypitest.Start(t), pypitest.Start(t)
	require.Error(t, buildOf(t, withCache(t, w, io.Discard, t.TempDir(), "PIP_INDEX_URL="+other.URL, "UV_DEFAULT_INDEX="+index.URL, "UV_CACHE_DIR="+t.TempDir()), w))
	require.Contains(t, index.Asked(), "hatchling", "uv's own setting takes precedence")
	require.Empty(t, other.Asked())
}

// Without a network, everything comes from uv's cache except the workspace's own sources, which are built in their current state.
func TestBuildWithoutANetwork(t *testing.T) {
	w := writeWorkspace(t, map[string]string{
		"pixi.toml":               "[dependencies]\nlib = { path = \"lib\" }\n[tasks]\nshow = \"python -c 'import lib, packaging; print(lib.text())'\"\n",
		"lib/pixi.toml":           "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n" + python + "[package.run-dependencies]\npackaging = \"=26\"\n",
		"lib/pyproject.toml":      "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n",
		"lib/src/lib/__init__.py": "def text():\n    return 'first'\n",
	})
	cache, uv := t.TempDir(), "UV_CACHE_DIR="+t.TempDir()
	show := func(set ...string) string {
		require.NoError(t, os.RemoveAll(filepath.Join(w.Root, ".pixi")))
		var out bytes.Buffer
		require.NoError(t, withCache(t, w, testWriter{t}, cache, append(set, uv)...).Run(t.Context(), toolchain.Task{Dir: w.Root, Name: "show", Stdout: &out, Stderr: testWriter{t}}))
		return out.String()
	}
	require.Equal(t, "first\n", show())
	for text, set := range map[string][]string{
		"by a variable":       {"UV_OFFLINE=1"},
		"behind a dead proxy": {"HTTPS_PROXY=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9", "http_proxy=http://127.0.0.1:9", "NO_PROXY=", "no_proxy=", "UV_HTTP_RETRIES=0"},
		"and a proxy of all":  {"HTTPS_PROXY=", "https_proxy=", "ALL_PROXY=socks5://127.0.0.1:9", "all_proxy=socks5://127.0.0.1:9", "NO_PROXY=", "no_proxy=", "UV_HTTP_RETRIES=0"},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(w.Root, "lib", "src", "lib", "__init__.py"), []byte("def text():\n    return '"+text+"'\n"), 0o644))
		require.Equal(t, text+"\n", show(set...))
	}
}
