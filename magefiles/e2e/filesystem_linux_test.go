package e2e_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// filesystem returns the metadata of all files below a folder, by path. The metadata includes the inode change time, which programs cannot set. It is
// left out for files with several hard links, because each new link changes it. Folders in `except` are skipped.
func filesystem(t testing.TB, root string, except ...string) map[string]string {
	t.Helper()
	seen := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case slices.Contains(except, path) && d.IsDir():
			return fs.SkipDir
		case slices.Contains(except, path):
			return nil
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
			return nil // removed by another program, or unreadable
		case err != nil:
			return err
		case d.IsDir():
			return nil // new files in the folder have their own entries
		}
		info, err := d.Info()
		if err != nil {
			//lint:ignore nilerr the file was removed meanwhile
			return nil
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			seen[path] = fmt.Sprint(s.Ino, s.Size, info.Mode(), s.Uid, s.Mtim)
			if s.Nlink == 1 {
				seen[path] += fmt.Sprint(s.Ctim)
			}
		}
		return nil
	}))
	return seen
}

// notOfTheRepository returns caches, and folders that other programs on this machine write to, such as other tests.
func notOfTheRepository(t testing.TB) []string {
	t.Helper()
	caches, err := os.UserCacheDir()
	require.NoError(t, err)
	tmp, err := filepath.EvalSymlinks(os.TempDir())
	require.NoError(t, err)
	settings, err := os.UserConfigDir()
	require.NoError(t, err)
	home, err := os.UserHomeDir()
	require.NoError(t, err)
	folders := []string{filepath.Join(settings, "go"), filepath.Join(home, ".local", "share", "uv"), "/proc", "/sys", "/dev", "/run", "/var/log", "/var/cache", "/var/lib/docker", "/var/lib/containerd", caches, tmp, repo}
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} {
		value, err := goEnv(name)
		require.NoError(t, err)
		folders = append(folders, value)
	}
	return append(folders, written(t)...)
}

// written returns the files that programs on this machine have open for writing, such as the log of the program that runs these tests.
func written(t testing.TB) []string {
	t.Helper()
	open, err := filepath.Glob("/proc/[0-9]*/fd/*")
	require.NoError(t, err)
	var files []string
	for _, fd := range open {
		info, err := os.Lstat(fd) // the mode of a descriptor's link is the mode that the file was opened with
		if err != nil || info.Mode().Perm()&0o200 == 0 {
			continue
		}
		if path, err := os.Readlink(fd); err == nil && filepath.IsAbs(path) {
			files = append(files, path)
		}
	}
	return files
}

// grown reports whether a file has only become longer.
func grown(was, is string) bool {
	before, after := strings.Fields(was), strings.Fields(is) // number, size, mode, owner, times
	size, err := strconv.ParseInt(before[1], 10, 64)
	now, errNow := strconv.ParseInt(after[1], 10, 64)
	return err == nil && errNow == nil && size < now && before[0] == after[0] && slices.Equal(before[2:4], after[2:4])
}

// changedPaths returns the sorted paths that differ. It ignores byte code that Python wrote next to a module, and logs that grew: the program that
// runs these tests may write to a log from a process that is not visible here. If a file had several hard links at one of the two times, as git's
// objects have in a local clone, the inode change time is not compared.
func changedPaths(before, after map[string]string) []string {
	var paths []string
	for path, was := range before {
		if is, ok := after[path]; !ok {
			paths = append(paths, path+" is gone")
		} else if !strings.HasPrefix(is, was) && !strings.HasPrefix(was, is) && (filepath.Ext(path) != ".log" || !grown(was, is)) {
			paths = append(paths, path+" has changed")
		}
	}
	for path := range after {
		if _, ok := before[path]; !ok && !strings.HasSuffix(path, ".pyc") {
			paths = append(paths, path+" is new")
		}
	}
	slices.Sort(paths)
	return paths
}

// TestFilesystem checks that filesystem detects every change of a file, even if the program restores the old times.
func TestFilesystem(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"same", "text", "mode", "gone", "link", "cache/x", "grown.log", "cut.log", "held", "linked", "unlinked"} {
		write(t, root, name, "one")
	}
	require.NoError(t, os.Link(filepath.Join(root, "unlinked"), filepath.Join(root, "cache", "unlinked")))
	held, err := os.OpenFile(filepath.Join(root, "held"), os.O_WRONLY, 0)
	require.NoError(t, err)
	defer held.Close()
	read, err := os.Open(filepath.Join(root, "same"))
	require.NoError(t, err)
	defer read.Close()
	open := written(t)
	require.Contains(t, open, held.Name())
	require.NotContains(t, open, read.Name())
	except := append(open, filepath.Join(root, "cache"))
	before := filesystem(t, root, except...)
	info, err := os.Stat(filepath.Join(root, "text"))
	require.NoError(t, err)
	write(t, root, "text", "two")
	require.NoError(t, os.Chtimes(filepath.Join(root, "text"), info.ModTime(), info.ModTime()))
	write(t, root, "held", "two")
	write(t, root, "grown.log", "one and two")
	write(t, root, "cut.log", "1")
	write(t, root, "deep/new", "one")
	write(t, root, "cache/y", "one")
	require.NoError(t, os.Link(filepath.Join(root, "linked"), filepath.Join(root, "cache", "linked")))
	require.NoError(t, os.Remove(filepath.Join(root, "cache", "unlinked")))
	require.NoError(t, os.Chmod(filepath.Join(root, "mode"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(root, "gone")))
	require.NoError(t, os.Remove(filepath.Join(root, "link")))
	require.NoError(t, os.Symlink("same", filepath.Join(root, "link")))
	var names []string
	for _, path := range changedPaths(before, filesystem(t, root, except...)) {
		names = append(names, strings.TrimPrefix(path, root+"/"))
	}
	require.Equal(t, []string{"cut.log has changed", "deep/new is new", "gone is gone", "link has changed", "mode has changed", "text has changed"}, names)
}
