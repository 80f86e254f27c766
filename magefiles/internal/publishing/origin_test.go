package publishing

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// The sources of packages are their folders, their source folders elsewhere, and the manifest that they inherit from.
func TestSourcesOfPackages(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml": "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n",
		"recipes/lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n" +
			"[package.build.source]\npath = \"../../code/lib\"\n",
		"code/lib/pyproject.toml": "[project]\nname = \"lib\"\nversion = \"1.0\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	for file, want := range map[string]bool{
		"recipes/lib/pixi.toml": true, "code/lib/src/x.py": true, "pixi.toml": true,
		"code/library/x.py": false, "pixi.lock": false, "app/pixi.toml": false, "recipes/pixi.toml": false,
	} {
		require.Equal(t, want, belongs(w, file), file)
	}
}
