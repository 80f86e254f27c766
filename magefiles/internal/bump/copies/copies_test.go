package copies_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump/copies"
	"github.com/foopack/foopack/magefiles/internal/bump/edits"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// load loads a workspace with one package and additional files.
func load(t *testing.T, settings string, files map[string]string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	files["pixi.toml"] = "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n" + settings
	files["a/pixi.toml"] = "[package]\nname = \"a\"\nversion = \"0.1.0\"\nbuild.backend.name = \"pixi-build-rust\"\n"
	for name, text := range files {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

func parse(t *testing.T, text string) version.Version {
	t.Helper()
	v, err := version.Parse(text)
	require.NoError(t, err)
	return v
}

// Configured files are updated only if their package moves.
func TestFollow(t *testing.T) {
	w := load(t, "[tool.release]\ncopies = [\"conf.py\"]\n", map[string]string{"conf.py": "old = '10.1.0'\nrelease = '0.1.0'\n"})
	for moves, want := range map[bool]int{true: 1, false: 0} {
		edit := edits.New(w)
		require.NoError(t, copies.Follow(w, edit, map[string]copies.Way{"a": {From: parse(t, "0.1.0"), To: parse(t, "0.2.0"), Moves: moves}}))
		files, err := edit.Files()
		require.NoError(t, err)
		require.Len(t, files, want)
	}
	err := copies.Follow(w, edits.New(w), map[string]copies.Way{"a": {From: parse(t, "0.3.0"), To: parse(t, "0.4.0"), Moves: true}})
	require.ErrorContains(t, err, "is wrong in 1 place")
}

// Find returns lines that keep the old version. It skips edited lines, lock files, and requirements on packages of other projects.
func TestFind(t *testing.T) {
	w := load(t, "", map[string]string{"x": "0.1.0\nnumpy==0.1.0\na==0.1.0\n0.1.0 changes\n", "go.mod": "module x\nrequire y/z v0.1.0\n", "sub/go.work.sum": "y/z v0.1.0 h1:\n", "Gemfile.lock": "y (0.1.0)\n", "pixi.lock": "0.1.0\n"})
	changed := []edits.File{{Path: "x", Edits: []edits.Edit{{Line: 4}}}}
	found, note := copies.Find(w, changed, []string{"0.1.0"}, []string{"x", "go.mod", "sub/go.work.sum", "Gemfile.lock", "pixi.lock", "gone"})
	require.Equal(t, []copies.Mention{
		{File: "x", Line: 1, Version: "0.1.0", Text: "0.1.0"},
		{File: "x", Line: 3, Version: "0.1.0", Text: "a==0.1.0"},
	}, found)
	require.Contains(t, note, "0.1.0 stays in 2 more lines (x:1, x:3)")
	require.Contains(t, note, "`copies = [{ file = \"x\", line = \"REGEXP\" }]` in [tool.release]", "the file alone would be refused")
	w.Config.Ignore = []string{"libs/plot", "*.txt", "old/**"}
	for _, file := range []string{"libs/plot/pixi.toml", "x.txt", "old/deep/a"} {
		name := filepath.Join(w.Root, filepath.FromSlash(file))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte("0.1.0\n"), 0o644))
	}
	_, note = copies.Find(w, nil, []string{"0.1.0"}, []string{"libs/plot/pixi.toml", "x.txt", "old/deep/a"})
	require.Empty(t, note, "a file outside of the workspace is not suggested")
	found, note = copies.Find(w, nil, []string{"0.9.0"}, []string{"x"})
	require.Empty(t, found)
	require.Empty(t, note)
}
