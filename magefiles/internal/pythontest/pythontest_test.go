package pythontest_test

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/pythontest"
)

// cache sets a temporary user cache directory for the test.
func cache(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the cache directory can be set on Linux only")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
}

func TestOnceFillsAFolderOnce(t *testing.T) {
	cache(t)
	var made atomic.Int32
	dirs := make([]string, 8)
	var wg sync.WaitGroup
	for i := range dirs {
		wg.Go(func() {
			dirs[i] = pythontest.Once(t, "thing", func(dir string) {
				made.Add(1)
				require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), nil, 0o644))
			}, []byte("input"))
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, made.Load())
	for _, dir := range dirs {
		require.Equal(t, dirs[0], dir)
	}
	require.FileExists(t, filepath.Join(dirs[0], "a"))
	other := pythontest.Once(t, "thing", func(string) {}, []byte("in"), []byte("put"))
	require.NotEqual(t, dirs[0], other, "other inputs, another folder")
}

func TestPartlyFilledFolderIsRecreated(t *testing.T) {
	cache(t)
	dir := pythontest.Once(t, "thing", func(string) {})
	require.NoError(t, os.Remove(filepath.Join(dir, ".complete")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "half"), nil, 0o644))
	pythontest.Once(t, "thing", func(dir string) { require.NoFileExists(t, filepath.Join(dir, "half")) })
}

func TestRunIsolatesPython(t *testing.T) {
	t.Setenv("PREFIX_API_KEY", "secret")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	python := pythontest.Interpreter(t)
	require.Regexp(t, `^3\.1[1-9]\.`, python.Version)
	out := pythontest.MustRun(t, python.Path,
		"import os, sys; print(os.environ.get('PREFIX_API_KEY'), os.environ.get('HTTPS_PROXY'), os.environ['GIVEN'], sys.argv[1])",
		[]string{"GIVEN=yes"}, "arg")
	require.Equal(t, "None None yes arg\n", out)
	require.Equal(t, 3, pythontest.Run(t, python.Path, "raise SystemExit(3)", nil).Code)
}
