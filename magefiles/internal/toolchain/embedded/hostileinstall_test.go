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

// below are the contents of all modules below a folder, links not followed.
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

// TestHostileFilesOfDependencies installs packages that have a file which a dependency has: uv has that in its cache under another
// name. The cache is one of the test's own. Nothing here may be an attack on the interpreter, which is the machine's.
func TestHostileFilesOfDependencies(t *testing.T) {
	w := hatchlingPackage(t, `"hatchling"`)
	for _, file := range []string{"packaging/__init__.py", "packaging/version.py", "packaging/evil.py"} {
		t.Run(file, func(t *testing.T) {
			cache, dir := t.TempDir(), t.TempDir()
			e := withCache(t, w, testWriter{t}, t.TempDir(), "UV_CACHE_DIR="+cache, "UV_LINK_MODE=hardlink")
			clean := condapkgtest.Package{Name: "clean", Depends: []string{"packaging"}}.Write(t, dir)
			_, err := e.Install(t.Context(), toolchain.Install{Dir: filepath.Join(dir, "first"), Artifacts: []string{clean}})
			require.NoError(t, err) // uv has packaging in its cache, and nothing more comes into it
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
			require.True(t, equal(before, below(t, cache)), "uv's cache is what it was")
		})
	}
}

// equal compares without printing the contents of a hundred modules.
func equal(a, b map[string]string) bool {
	for path, text := range a {
		if b[path] != text {
			return false
		}
	}
	return len(a) == len(b)
}
