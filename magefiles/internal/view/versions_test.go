package view_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump/released"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// TestVersionsFromTags checks that the last tag is shown beside the copies of the version, in a table and as JSON, and not for a package whose
// manifest has the version.
func TestVersionsFromTags(t *testing.T) {
	const python = "build.backend.name = \"pixi-build-python\"\n"
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":        "[workspace]\nname = \"w\"\n",
		"a/pixi.toml":      "[package]\nname = \"a\"\n" + python,
		"a/pyproject.toml": "[project]\nname = \"a\"\ndynamic = [\"version\"]\n[tool.setuptools_scm]\n",
		"b/pixi.toml":      "[package]\nname = \"b\"\nversion = \"0.1.0\"\n" + python + "build.config.env.PBR_VERSION = \"0.1\"\n",
		"b/pyproject.toml": "[project]\nname = \"b\"\ndynamic = [\"version\"]\n[tool.versioningit]\n",
		"c/pixi.toml":      "[package]\nname = \"c\"\nversion = \"2.0\"\n" + python,
		"c/pyproject.toml": "[project]\nname = \"c\"\nversion = \"2.0\"\n",
	} {
		name = filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)

	v, out, _ := newView()
	require.NoError(t, v.Versions(w, []released.Release{{Package: "b", Version: "0.3.0", Tag: "b/v0.3.0", Commit: "1"}, {Package: "a", Version: "1.5", Tag: "a/v1.5", Commit: "2"}}, false))
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(out.String()), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	require.Equal(t, []string{
		"PACKAGE VERSION REQUIRES WHERE",
		"a 1.5 a/pixi.toml", "b 0.1.0 b/pixi.toml", "c 2.0 c/pixi.toml", "",
		"PACKAGE SAYS BY WHERE",
		"a a/v1.5 the last tag, for setuptools-scm a/pyproject.toml:4",
		"b 0.1.0 [package] version, a copy b/pixi.toml:3",
		"b/v0.3.0 the last tag, for versioningit b/pyproject.toml:4",
		"0.1 PBR_VERSION, a copy b/pixi.toml:5",
	}, lines)

	v, out, _ = newView()
	require.NoError(t, v.Versions(w, nil, false))
	require.Contains(t, out.String(), "no tag yet")
	require.Regexp(t, `(?m)^a +- `, out.String())

	v, out, _ = newView()
	require.NoError(t, v.Versions(w, []released.Release{{Package: "b", Version: "0.3.0", Tag: "b/v0.3.0", Commit: "1"}}, true))
	require.Equal(t, 1, strings.Count(out.String(), `"lastTag"`))
	require.Contains(t, out.String(), `"name": "b/v0.3.0"`)
	require.Contains(t, out.String(), `"source": "env"`)
}
