package embedded

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// Packages are reinstalled for tasks if any file that their build sees has changed, wherever it is.
func TestOwnDigest(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\npreview = [\"pixi-build\"]\n\n"+
		"[tool.release]\ninclude = [\"gen/version.txt\", \"lib/.gen\", \"not/there\"]\n")
	write("lib/pixi.toml", "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n")
	write("lib/pyproject.toml", "[project]\nname = \"lib\"\nversion = \"1.0.0\"\n")
	w, err := workspace.Load(root)
	require.NoError(t, err)
	e := New(Config{Workspace: w})
	own := func(n *needs) string {
		d, err := e.digestOwn(n)
		require.NoError(t, err)
		return d
	}
	built, editable := &needs{packages: w.Packages}, &needs{editable: []string{filepath.Join(root, "lib")}}
	for _, c := range []struct {
		file   string
		counts bool
	}{
		{"lib/src/lib/new.py", true},
		{"lib/__pycache__/x.pyc", false},
		{"lib/.cache/x", false},
		{"other/x", false},
		{"gen/version.txt", true},
		{"gen/else.txt", false},
		{"lib/.gen/x.py", true},
		{"not/there", true},
	} {
		before, edited := own(built), own(editable)
		write(c.file, "x")
		require.Equal(t, c.counts, own(built) != before, c.file)
		require.Equal(t, edited, own(editable), "%s: the key of an editable package does not change", c.file)
		require.Equal(t, own(built), own(built))
	}
}
