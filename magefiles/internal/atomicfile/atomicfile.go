// Package atomicfile replaces files atomically: readers see either the old contents or the new contents, even after a crash or a power failure.
//
// New contents are written to a temporary file in the same folder. It is synced to disk and renamed over the old file, and then the folder is
// synced. If the file is a symlink, the target is replaced. A killed process leaves only a file with the extension [TempExt], which can safely be
// ignored.
//
// ReplaceAll replaces several files atomically. If it is interrupted, the next run must revert it with Undo.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// TempExt is the extension of all temporary files of this package.
const TempExt = ".partial"

// WriteFile replaces a file's contents with data. An existing file keeps its permissions. A new file gets perm (before umask).
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	w, err := Create(path, perm)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit()
}

// Writer writes the new contents of a file. Readers see the old contents until Commit.
type Writer struct {
	file   *os.File
	target string
	done   bool
}

// Create begins to replace the file at path. The file need not exist, but its folder must. The caller must call Commit or Abort. It is safe to defer
// Abort, which is a no-op after Commit.
func Create(path string, perm fs.FileMode) (*Writer, error) {
	target, perm, keep, err := resolve(path, perm)
	if err != nil {
		return nil, fmt.Errorf("replacing %s: %w", path, err)
	}
	f, err := create(target, perm)
	if err != nil {
		return nil, fmt.Errorf("replacing %s: %w", path, err)
	}
	w := &Writer{file: f, target: target}
	if keep {
		if err := f.Chmod(perm); err != nil {
			w.Abort()
			return nil, fmt.Errorf("replacing %s: %w", path, err)
		}
	}
	return w, nil
}

// resolve follows symlinks to the file to replace, which need not exist. mode is the mode of the new file. keep reports whether that is the mode of
// an existing file.
func resolve(path string, perm fs.FileMode) (target string, mode fs.FileMode, keep bool, err error) {
	for range 40 { // the limit on Linux
		st, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path, perm, false, nil
		case err != nil:
			return "", 0, false, err
		case st.Mode()&fs.ModeSymlink == 0:
			if !st.Mode().IsRegular() {
				return "", 0, false, fmt.Errorf("%s is not a regular file", path)
			}
			return path, st.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky), true, nil
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", 0, false, err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", 0, false, errors.New("too many symbolic links")
}

// create creates the temporary file. os.CreateTemp is not used because it always sets mode 0600.
func create(target string, perm fs.FileMode) (*os.File, error) {
	dir, base := filepath.Split(target)
	for i := 0; ; i++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%d-%d%s", base, os.Getpid(), i, TempExt))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm.Perm())
		if errors.Is(err, fs.ErrExist) && i < 10000 {
			continue
		}
		return f, err
	}
}

// Name returns the path of the temporary file.
func (w *Writer) Name() string { return w.file.Name() }

func (w *Writer) Write(p []byte) (int, error) { return w.file.Write(p) }

// Commit replaces the file with the new contents. If it returns nil, the contents survive a power failure. After an error the file has its old
// contents, unless only the sync of the folder failed.
func (w *Writer) Commit() error {
	if err := w.CommitUnsynced(); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(w.target)); err != nil {
		return fmt.Errorf("replacing %s: %w", w.target, err)
	}
	return nil
}

// CommitUnsynced is like Commit, but does not sync the folder. A caller that commits many files in a folder can call SyncDir once at the end.
func (w *Writer) CommitUnsynced() error {
	if w.done {
		return errors.New("replacing " + w.target + ": the new contents were already committed or discarded")
	}
	err := w.file.Sync()
	if cerr := w.file.Close(); err == nil {
		err = cerr
	}
	w.done = true
	if err == nil {
		err = os.Rename(w.file.Name(), w.target)
	}
	if err != nil {
		os.Remove(w.file.Name())
		return fmt.Errorf("replacing %s: %w", w.target, err)
	}
	return nil
}

// Abort discards the new contents. It is a no-op after Commit or Abort.
func (w *Writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	w.file.Close()
	os.Remove(w.file.Name())
}

// SyncDir syncs a folder to disk, so that renames and removals in it survive a power failure.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
