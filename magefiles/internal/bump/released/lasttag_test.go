package released_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// tags is a history with fixed tags. A nil value must not be queried.
type tags map[string]string

func (t tags) MergedTags(context.Context) (map[string]string, error) {
	if t == nil {
		return nil, errors.New("there is no history")
	}
	return t, nil
}

// LastTags returns tags only for packages whose version is derived from tags. If there are none, it does not query the history.
func TestLastTags(t *testing.T) {
	t.Parallel()
	const python = "build.backend.name = \"pixi-build-python\"\n"
	root := t.TempDir()
	load := func(files map[string]string) *workspace.Workspace {
		for name, text := range files {
			name = filepath.Join(root, filepath.FromSlash(name))
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
		}
		w, err := workspace.Load(root)
		require.NoError(t, err)
		return w
	}
	w := load(map[string]string{
		"pixi.toml":        "[workspace]\nname = \"w\"\n[tool.release]\nversioning = \"independent\"\n",
		"c/pixi.toml":      "[package]\nname = \"c\"\nversion = \"2.0\"\n" + python,
		"c/pyproject.toml": "[project]\nname = \"c\"\nversion = \"2.0\"\n",
	})
	last, err := released.LastTags(t.Context(), w, tags(nil))
	require.NoError(t, err)
	require.Empty(t, last)
	w = load(map[string]string{
		"a/pixi.toml":      "[package]\nname = \"a\"\nversion = \"0.1\"\n" + python,
		"a/pyproject.toml": "[project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n",
	})
	last, err = released.LastTags(t.Context(), w, tags{"a/v1.4": "1", "a/v1.5": "2", "a/vX": "3", "c/v2.0": "4"})
	require.NoError(t, err)
	require.Equal(t, []released.Release{{Package: "a", Version: "1.5", Tag: "a/v1.5", Commit: "2"}}, last, "also above the manifest's version, which is a copy")
	_, err = released.LastTags(t.Context(), w, tags(nil))
	require.ErrorContains(t, err, "there is no history")
}
