package filelock_test

import (
	"io/fs"
	"path/filepath"
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
	require.NoError(t, f.Close())
	f, err = filelock.Take(path)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	_, err = filelock.Take(filepath.Join(path, "beneath a file"))
	require.Error(t, err)
	_, err = filelock.Take(filepath.Join(t.TempDir(), "no folder", "lock"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}
