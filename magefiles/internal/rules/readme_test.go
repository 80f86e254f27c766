package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace"
)

var tomlBlock = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")

// TestTablesOfTheReadme reads each table that README shows as the root manifest of a workspace: whoever copies one gets no error.
func TestTablesOfTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	require.NoError(t, err)
	blocks := tomlBlock.FindAllSubmatch(readme, -1)
	require.NotEmpty(t, blocks)
	for _, b := range blocks {
		dir := t.TempDir()
		text := "[workspace]\nname = \"yours\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n\n" + string(b[1])
		require.NoError(t, os.WriteFile(filepath.Join(dir, "pixi.toml"), []byte(text), 0o644))
		_, err := workspace.Load(dir)
		require.NoError(t, err, "%s", b[1])
	}
}
