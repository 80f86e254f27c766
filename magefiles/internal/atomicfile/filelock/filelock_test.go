package filelock_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
)

func TestOnlyOneHolder(t *testing.T) {
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

// A released file is unlocked, even while child processes that are being started still have it open.
func TestReleasedFileIsUnlocked(t *testing.T) {
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

// If a holder removes the file and its folder while others lock it, every locked file still exists.
func TestLockedFileExists(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "lock")
	var holders sync.WaitGroup
	for range 4 {
		holders.Go(func() {
			for range 500 {
				_ = os.Mkdir(filepath.Dir(path), 0o700) // another goroutine may have created it
				f, err := filelock.Take(path)
				if errors.Is(err, filelock.ErrHeld) || errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if !assert.NoError(t, err) || !assert.FileExists(t, path) {
					return
				}
				_ = os.RemoveAll(filepath.Dir(path)) // fails if another goroutine has created the file again
				if !assert.NoError(t, filelock.Release(f)) {
					return
				}
			}
		})
	}
	holders.Wait()
}
