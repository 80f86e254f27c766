package workspace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestHostileNames refuses what would be an option of a program, or a path, where it is read.
func TestHostileNames(t *testing.T) {
	for name, c := range map[string]struct{ root, pkg, says string }{
		"remote":   {"[tool.release]\nremote = \"--upload-pack=touch x\"\n", "a", "it begins with a dash"},
		"branch":   {"[tool.release]\nbranch = \"-main\"\n", "a", "it begins with a dash"},
		"branches": {"[tool.release]\nbranch = [\"main\", \"--all\"]\n", "a", "it begins with a dash"},
		"channel":  {"[tool.release]\nchannel = \"-c\"\n", "a", "it begins with a dash"},
		"channels": {"[feature.x]\nchannels = [\"--yes\"]\n", "a", "it begins with a dash"},
		"address":  {"[feature.x]\nchannels = [{ channel = \"-c\", priority = 1 }]\n", "a", "it begins with a dash"},
		"platform": {"[feature.x]\nplatforms = [\"-p\"]\n", "a", "it begins with a dash"},
		"option":   {"", "-rf", "a package cannot be called"},
		"path":     {"", "../../x", "a package cannot be called"},
		"folder":   {"", "a/b", "a package cannot be called"},
		"absolute": {"", "/etc/x", "a package cannot be called"},
		"dots":     {"", "..", "a package cannot be called"},
		"blank":    {"", "a b", "a package cannot be called"},
		"newline":  {"", "a\\nb", "a package cannot be called"},
		"include":  {"[tool.release]\ninclude = [\"../x\"]\n", "a", "include cannot be"},
		"git":      {"[tool.release]\npass = [\"A=B\"]\n", "a", "pass cannot be"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for file, text := range map[string]string{
				"pixi.toml":        "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n" + c.root,
				"a/pixi.toml":      "[package]\nname = \"" + c.pkg + "\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
				"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1.0\"\n",
			} {
				path := filepath.Join(root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			_, err := workspace.Load(root)
			require.ErrorContains(t, err, c.says)
		})
	}
}
