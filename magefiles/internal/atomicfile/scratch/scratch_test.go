package scratch_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/scratch"
)

// TestMain makes a folder and then kills its own process, if an environment variable asks for that.
func TestMain(m *testing.M) {
	parent := os.Getenv("SCRATCH_OF_A_KILLED_RUN")
	if parent == "" {
		os.Exit(m.Run())
	}
	dir, _, err := scratch.Make(parent, "killed-")
	if err != nil || os.MkdirAll(filepath.Join(dir, "deep", "closed"), 0o755) != nil || os.Chmod(filepath.Join(dir, "deep"), 0o500) != nil {
		os.Exit(1)
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// The next run removes the folders that a killed run left, with any prefix. Folders that are in use, or that are not ours, are kept.
func TestNextRunCleansUpAfterAKill(t *testing.T) {
	parent := t.TempDir()
	killed := exec.Command(os.Args[0])
	killed.Env = append(os.Environ(), "SCRATCH_OF_A_KILLED_RUN="+parent)
	require.Error(t, killed.Run())
	left, err := filepath.Glob(filepath.Join(parent, "killed-*", "deep", "closed"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	for name, mode := range map[string]fs.FileMode{"no-lock": 0o700, "open-to-others": 0o755} {
		require.NoError(t, os.Mkdir(filepath.Join(parent, name), mode))
	}
	require.NoError(t, os.WriteFile(filepath.Join(parent, "open-to-others", "foopack.lock"), nil, 0o600))
	victim := t.TempDir()
	require.NoError(t, os.Chmod(victim, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(victim, "foopack.lock"), nil, 0o600))
	require.NoError(t, os.Symlink(victim, filepath.Join(parent, "a-link")))
	used, remove, err := scratch.Make(parent, "one-")
	require.NoError(t, err)
	names := func() (all []string) {
		entries, err := os.ReadDir(parent)
		require.NoError(t, err)
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return all
	}
	require.ElementsMatch(t, []string{"no-lock", "open-to-others", "a-link", filepath.Base(used)}, names())
	other, removeOther, err := scratch.Make(parent, "other-")
	require.NoError(t, err)
	require.DirExists(t, used)
	require.NoError(t, remove())
	require.NoError(t, removeOther())
	require.NoDirExists(t, used)
	require.NoDirExists(t, other)
	require.FileExists(t, filepath.Join(victim, "foopack.lock"))
}

// When many folders are made concurrently, no sweep removes a folder that is in use.
func TestConcurrentFolders(t *testing.T) {
	parent := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				dir, remove, err := scratch.Make(parent, "x"+strconv.Itoa(i)+"-")
				if !assert.NoError(t, err) || !assert.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600)) || !assert.FileExists(t, filepath.Join(dir, "file")) {
					return
				}
				_ = remove() // may fail, because a sweep may lock the folder again and remove the rest
			}
		})
	}
	all.Wait()
	_, remove, err := scratch.Make(parent, "last-")
	require.NoError(t, err)
	require.NoError(t, remove())
	left, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestMissingParent(t *testing.T) {
	_, _, err := scratch.Make(filepath.Join(t.TempDir(), "none"), "x-")
	require.ErrorContains(t, err, "making a folder for temporary files")
}
