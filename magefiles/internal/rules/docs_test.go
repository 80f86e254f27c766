package rules_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/deploy/config"
	"github.com/foopack/foopack/magefiles/internal/tomledit"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

var tomlBlock = regexp.MustCompile("(?ms)^```toml\n(.*?)^```$")

// The manifests shown in documents can be copied: they are valid TOML, and the pipeline accepts the keys and values of its own tables.
func TestExamplesOfManifests(t *testing.T) {
	documents, err := filepath.Glob("../../../*.md")
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join("../../..", notes, "*.md"))
	require.NoError(t, err)
	documents = append(documents, more...)
	settings, deployed := 0, 0
	for _, file := range documents {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, block := range tomlBlock.FindAllStringSubmatch(string(text), -1) {
			_, err := tomledit.Parse(filepath.Base(file), []byte(block[1]))
			require.NoError(t, err, block[1])
			if strings.Contains(block[1], "[tool.deploy") {
				deployed++
				requireDeployment(t, block[1])
			}
			if !strings.Contains(block[1], "[tool.release") {
				continue
			}
			settings++
			root := t.TempDir()
			manifest := "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n\n" + block[1]
			require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte(manifest), 0o644))
			w, err := workspace.Load(root)
			require.NoError(t, err, block[1])
			require.NotNil(t, w)
		}
	}
	require.Positive(t, settings)
	require.Positive(t, deployed)
}

// requireDeployment checks that the deployment tables shown in a document are accepted in a downstream's manifest.
func requireDeployment(t *testing.T, block string) {
	t.Helper()
	root := t.TempDir()
	const head = "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n\n"
	for name, text := range map[string]string{"pixi.toml": head, "app/pixi.toml": head + "[dependencies]\ncore = \"==1.0.0\"\n\n" + block} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	all, err := config.Of(&workspace.Workspace{Root: root}, &workspace.Downstream{Dir: "app", Manifest: &manifest.Manifest{Path: "app/pixi.toml"}})
	require.NoError(t, err, block)
	require.NotEmpty(t, all)
}
