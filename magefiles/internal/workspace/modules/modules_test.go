package modules_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/workspace/modules"
)

// The version is taken from the module with the package's name, however it spells the hyphen. Vendored code is ignored.
func TestModules(t *testing.T) {
	tree := fstest.MapFS{}
	for _, file := range []string{
		"a/src/acme_core/__init__.py", "a/src/acme_core/x.py", "a/src/acme_core/_vendor/v.py", "a/src/acme_core/.hidden.py", "a/src/other/__init__.py",
		"b/acme/ui/_version.py", "b/tests/test_x.py", "c/src/alone/__init__.py", "d/one.py",
	} {
		tree[file] = &fstest.MapFile{}
	}
	var m modules.Modules
	require.NoError(t, fs.WalkDir(tree, ".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		entries, err := fs.ReadDir(tree, dir)
		m.Keep(dir, dir, entries, nil)
		return err
	}))
	for dir, c := range map[string]struct{ name, version, packed string }{
		"a": {"acme-core", "a/src/acme_core/__init__.py", "a/src/acme_core/x.py a/src/other/__init__.py"},
		"b": {"acme-ui", "b/acme/ui/_version.py", ""},
		"c": {"else", "c/src/alone/__init__.py", ""},
		"d": {"one", "d/one.py", ""},
	} {
		s := modules.Sources{Dir: dir, Names: [2]string{c.name, c.name}}
		own := m.OfVersion(s)
		require.Equal(t, strings.Fields(c.version), own, dir)
		require.ElementsMatch(t, strings.Fields(c.packed), m.ListPacked(s, own), dir)
	}
	require.True(t, m.Has("d/one.py"))
	require.False(t, m.Has("d/two.py"))
	require.True(t, modules.ForVersions("x/_version.py"))
	require.False(t, modules.ForVersions("x/__init__.py"))
}
