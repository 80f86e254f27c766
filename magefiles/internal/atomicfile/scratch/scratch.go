// Package scratch makes temporary folders. If a run is killed, the next run removes its folders.
package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
)

// held is the name of a lock file in each folder. It is locked while the folder is in use, and unlocked when its process ends.
const held = "foopack.lock"

// Make creates a temporary folder that only this user can access. It is created in parent, which defaults to os.TempDir, and its name begins with
// prefix, which must end with a dash. Make first removes the folders of killed runs from parent, with any prefix. remove removes the folder and its
// contents.
func Make(parent, prefix string) (dir string, remove func() error, err error) {
	if parent == "" {
		parent = os.TempDir()
	}
	sweep(parent)
	for range 10 {
		dir, err = os.MkdirTemp(parent, prefix)
		if err == nil {
			dir = filepath.Clean(dir)
			var f *os.File
			if f, err = filelock.Take(filepath.Join(dir, held)); err == nil {
				return dir, func() error { return end(dir, f) }, f.Chmod(0o600)
			}
		}
		if !errors.Is(err, filelock.ErrHeld) && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("making a folder for temporary files: %w", err)
		}
		// Another run's sweep has removed this folder, or is about to.
	}
	return "", nil, fmt.Errorf("making a folder for temporary files in %s: other processes removed every folder that was made", parent)
}

// end removes a locked folder and its contents. It also removes read-only folders, such as the ones in Go's module cache.
func end(dir string, f *os.File) error {
	err := os.RemoveAll(dir)
	if err != nil {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if e != nil && e.IsDir() {
				_ = os.Chmod(path, 0o700) // the second RemoveAll reports what still cannot be removed
			}
			return nil
		})
		err = os.RemoveAll(dir)
	}
	return errors.Join(err, filelock.Release(f))
}

// sweep removes this user's folders whose processes have ended.
func sweep(parent string) {
	entries, _ := os.ReadDir(parent) // no entries if the folder cannot be read
	for _, e := range entries {
		if !strings.Contains(e.Name(), "-") {
			continue // every prefix has a dash
		}
		dir := filepath.Join(parent, e.Name())
		path := filepath.Join(dir, held)
		if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() || !own(dir) {
			continue
		}
		if f, err := filelock.Take(path); err == nil {
			_ = end(dir, f) // the next run will retry
		}
	}
}

// `own` reports whether a path is a folder of this user with mode 0700.
func own(dir string) bool {
	st, err := os.Lstat(dir)
	if err != nil || !st.IsDir() || st.Mode().Perm() != 0o700 {
		return false
	}
	of, known := st.Sys().(*syscall.Stat_t)
	return known && int(of.Uid) == os.Getuid()
}
