package targets

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/stretchr/testify/require"
)

// aWorkspace is the manifest of a workspace with a package that is not noarch, and a downstream that gets it and others from `channels`, as TOML.
func aWorkspace(t *testing.T, channels string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":     "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n",
		"lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n",
		"app/pixi.toml": "[workspace]\nname = \"app\"\nplatforms = [\"linux-64\", \"linux-aarch64\"]\nchannels = [" + channels + "]\n" +
			"[dependencies]\nlib = \"==1.0.0\"\na = \"*\"\nb = \"*\"\nc = \"*\"\nd = \"*\"\ne = \"*\"\nf = \"*\"\ng = \"*\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	require.Len(t, w.Downstreams, 1)
	return w
}
