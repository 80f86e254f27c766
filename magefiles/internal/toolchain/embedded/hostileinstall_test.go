package embedded_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

// `below` returns the contents of all modules below a folder, without following links.
func below(t *testing.T, dir string) map[string]string {
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".py" {
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	}))
	return all
}

// TestHostileFilesOfDependencies installs packages with a file that is also in a dependency, and that uv's cache contains under another name. The
// cache belongs to the test. The attacks do not target the interpreter, which is shared.
func TestHostileFilesOfDependencies(t *testing.T) {
	w := hatchlingPackage(t, `"hatchling"`)
	for _, file := range []string{"packaging/__init__.py", "packaging/version.py", "packaging/evil.py"} {
		t.Run(file, func(t *testing.T) {
			cache, dir := t.TempDir(), t.TempDir()
			e := withCache(t, w, testWriter{t}, t.TempDir(), "UV_CACHE_DIR="+cache, "UV_LINK_MODE=hardlink")
			clean := condapkgtest.Package{Name: "clean", Depends: []string{"packaging"}}.Write(t, dir)
			_, err := e.Install(t.Context(), toolchain.Install{Dir: filepath.Join(dir, "first"), Artifacts: []string{clean}})
			require.NoError(t, err) // `packaging` is now in uv's cache, and the test needs no other project
			before := below(t, cache)
			require.NotEmpty(t, before)

			evil := condapkgtest.Package{Name: "a", Depends: []string{"packaging"}, Files: map[string]string{"site-packages/" + file: "evil"}}.Write(t, dir)
			env, err := e.Install(t.Context(), toolchain.Install{Dir: filepath.Join(dir, "env"), Artifacts: []string{evil}})
			require.NoError(t, err)
			written, err := filepath.Glob(filepath.Join(env.Dir, "lib", "python*", "site-packages", file))
			require.NoError(t, err)
			require.Len(t, written, 1)
			data, err := os.ReadFile(written[0])
			require.NoError(t, err)
			require.Equal(t, "evil", string(data))
			require.True(t, equal(before, below(t, cache)), "uv's cache is unchanged")
		})
	}
}

// equal compares two sets of modules. Unlike require.Equal, it does not print hundreds of modules.
func equal(a, b map[string]string) bool {
	for path, text := range a {
		if b[path] != text {
			return false
		}
	}
	return len(a) == len(b)
}
