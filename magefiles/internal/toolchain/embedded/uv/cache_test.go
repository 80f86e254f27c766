package uv

import (
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// One caller fills a cache folder, and the others wait. A partly filled folder is recreated.
func TestCacheIsFilledOnce(t *testing.T) {
	i := &Installer{cache: t.TempDir()}
	var fills atomic.Int64
	fill := func(dir string) error {
		fills.Add(1)
		return errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "tool"), nil, 0o644))
	}
	half := filepath.Join(i.cache, "tools", "key", "half")
	require.NoError(t, os.MkdirAll(half, 0o755))
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			dir, err := i.fillOnce(t.Context(), "tools", "key", fill)
			return errors.Join(err, os.Chmod(filepath.Join(dir, "tool"), 0o600))
		})
	}
	require.NoError(t, group.Wait())
	require.EqualValues(t, 1, fills.Load())
	require.NoDirExists(t, half)

	_, err := i.fillOnce(t.Context(), "tools", "other", func(string) error { return errors.New("no network") })
	require.ErrorContains(t, err, "no network")
	_, err = i.fillOnce(t.Context(), "tools", "other", fill)
	require.NoError(t, err, "a failed installation is tried again, and the lock is free")
}
