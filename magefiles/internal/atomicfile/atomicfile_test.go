package atomicfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func names(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWriteFileMakesAndReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, atomicfile.WriteFile(path, []byte("one"), 0o644))
	require.NoError(t, atomicfile.WriteFile(path, []byte("two"), 0o644))
	require.Equal(t, "two", read(t, path))
	require.Equal(t, []string{"a"}, names(t, dir), "nothing is left over")
}

func TestModeIsPreserved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Chmod(path, 0o757))
	require.NoError(t, atomicfile.WriteFile(path, []byte("x"), 0o644))
	st, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o757), st.Mode().Perm())
}

func TestSymlinkTargetIsReplaced(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o755))
	target, link, second := filepath.Join(dir, "sub", "target"), filepath.Join(dir, "link"), filepath.Join(dir, "second")
	require.NoError(t, os.WriteFile(target, []byte("old"), 0o644))
	require.NoError(t, os.Symlink(filepath.Join("sub", "target"), link))
	require.NoError(t, os.Symlink("link", second))
	require.NoError(t, atomicfile.WriteFile(second, []byte("new"), 0o644))
	require.Equal(t, "new", read(t, target))
	require.Equal(t, []string{"link", "second", "sub"}, names(t, dir))

	dangling := filepath.Join(dir, "dangling")
	require.NoError(t, os.Symlink("sub/later", dangling))
	require.NoError(t, atomicfile.WriteFile(dangling, []byte("new"), 0o644))
	require.Equal(t, "new", read(t, filepath.Join(dir, "sub", "later")))

	require.NoError(t, os.Symlink("loop", filepath.Join(dir, "loop")))
	require.ErrorContains(t, atomicfile.WriteFile(filepath.Join(dir, "loop"), nil, 0o644), "too many")
}

func TestNothingIsVisibleBeforeCommit(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
	w, err := atomicfile.Create(path, 0o644)
	require.NoError(t, err)
	_, err = w.Write([]byte("new"))
	require.NoError(t, err)
	require.Equal(t, "old", read(t, path))
	w.Abort()
	require.Equal(t, "old", read(t, path))
	require.Equal(t, []string{"a"}, names(t, dir))
	require.Error(t, w.Commit(), "it was ended")
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	require.ErrorContains(t, atomicfile.WriteFile(dir, nil, 0o644), "not a regular file")
	require.ErrorIs(t, atomicfile.WriteFile(filepath.Join(dir, "none", "a"), nil, 0o644), fs.ErrNotExist)
}

func TestConcurrentWritersLeaveOneCompleteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			data := make([]byte, 1<<16)
			for j := range data {
				data[j] = byte('a' + i)
			}
			require.NoError(t, atomicfile.WriteFile(path, data, 0o644))
		})
	}
	wg.Wait()
	got := read(t, path)
	require.Len(t, got, 1<<16)
	for _, c := range got {
		require.EqualValues(t, got[0], c)
	}
}
