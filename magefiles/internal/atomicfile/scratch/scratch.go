// Package scratch makes folders for the temporary files of one run, which are removed by the next run where that one was killed.
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

// held is in each folder, held by whoever uses it, and free once that is killed.
const held = "foopack.lock"

// Make makes a folder that nobody else looks into, below a parent, which is the one for temporary files where it is "". Its name begins with a prefix, which ends in a dash. What
// runs have left there that were killed, by whatever prefix, is removed before. remove takes the folder away with all that is in it.
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
		// Somebody who sweeps came in between, and removes it, or has.
	}
	return "", nil, fmt.Errorf("making a folder for temporary files in %s: others remove it", parent)
}

// end removes a folder that is held, whatever is in it: programs leave folders in which nothing may be changed, such as Go's for modules.
func end(dir string, f *os.File) error {
	err := os.RemoveAll(dir)
	if err != nil {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if e != nil && e.IsDir() {
				_ = os.Chmod(path, 0o700) // what stays closed is told by the second try
			}
			return nil
		})
		err = os.RemoveAll(dir)
	}
	return errors.Join(err, filelock.Release(f))
}

// sweep removes folders of this user whose runs have ended without doing so.
func sweep(parent string) {
	entries, _ := os.ReadDir(parent) // what cannot be read has none
	for _, e := range entries {
		if !strings.Contains(e.Name(), "-") {
			continue // as every prefix has one
		}
		dir := filepath.Join(parent, e.Name())
		path := filepath.Join(dir, held)
		if st, err := os.Lstat(path); err != nil || !st.Mode().IsRegular() || !own(dir) {
			continue
		}
		if f, err := filelock.Take(path); err == nil {
			_ = end(dir, f) // the next run tries it again
		}
	}
}

// own reports whether a path is a folder of this user that is closed to others.
func own(dir string) bool {
	st, err := os.Lstat(dir)
	if err != nil || !st.IsDir() || st.Mode().Perm() != 0o700 {
		return false
	}
	of, known := st.Sys().(*syscall.Stat_t)
	return known && int(of.Uid) == os.Getuid()
}
