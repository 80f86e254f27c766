package filelock_test

import (
	"io/fs"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
)

func TestOneHoldsIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	f, err := filelock.Take(path)
	require.NoError(t, err)
	_, err = filelock.Take(path)
	require.ErrorIs(t, err, filelock.ErrHeld)
	require.ErrorContains(t, err, path)
	require.NoError(t, filelock.Release(f))
	f, err = filelock.Take(path)
	require.NoError(t, err)
	require.NoError(t, filelock.Release(f))
	_, err = filelock.Take(filepath.Join(path, "beneath a file"))
	require.Error(t, err)
	_, err = filelock.Take(filepath.Join(t.TempDir(), "no folder", "lock"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A child that is being started has the files of this process for a moment. What was let go of is free then, however many have it.
func TestWhatIsLetGoOfIsFree(t *testing.T) {
	for _, children := range []int{0, 1, 3} {
		path := filepath.Join(t.TempDir(), "lock")
		f, err := filelock.Take(path)
		require.NoError(t, err)
		for range children {
			inherited, err := syscall.Dup(int(f.Fd()))
			require.NoError(t, err)
			defer syscall.Close(inherited)
		}
		require.NoError(t, filelock.Release(f))
		f, err = filelock.Take(path)
		require.NoError(t, err, "%d", children)
		require.NoError(t, filelock.Release(f))
	}
}
