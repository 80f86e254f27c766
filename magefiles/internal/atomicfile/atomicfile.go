// Package atomicfile replaces a file so that a reader, and whoever looks after a crash or a loss of power, finds the old
// contents or the new ones, whole, and never anything between.
//
// New contents go into a temporary file in the same folder, which is synced to the disk and renamed over the old one;
// then the folder is synced. A symlink is followed, and the file it points to is replaced. Clean-up is not needed for
// safety: what a killed process leaves behind is a file with the extension [TempExt] that no one refers to.
//
// ReplaceAll does so for many files as one: what was begun and not finished is taken back by the next run, with Undo.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// TempExt ends the name of every temporary file that this package makes.
const TempExt = ".partial"

// WriteFile replaces the file with data. A file that exists keeps its permissions; a new one gets perm, less the umask.
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

// Writer receives new contents for a file. Nothing is seen of them before Commit.
type Writer struct {
	file   *os.File
	target string
	done   bool
}

// Create begins to replace the file at path, which need not exist; its folder has to. The caller ends it with Commit or
// Abort, and may defer Abort, which does nothing after Commit.
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

// resolve follows symlinks to the file that is to be replaced, also to one that does not exist yet, and says which
// permissions it gets, and whether they are those of the file that is there.
func resolve(path string, perm fs.FileMode) (target string, mode fs.FileMode, keep bool, err error) {
	for range 40 { // as many links as Linux follows
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

// create makes the temporary file. os.CreateTemp would give it mode 0600, whatever the umask says.
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

// Name is the path of the temporary file.
func (w *Writer) Name() string { return w.file.Name() }

func (w *Writer) Write(p []byte) (int, error) { return w.file.Write(p) }

// Commit puts the new contents in place. When it returns nil they outlast a loss of power; after an error the old ones
// are still there, unless only syncing the folder was what went wrong.
func (w *Writer) Commit() error {
	if err := w.CommitUnsynced(); err != nil {
		return err
	}
	if err := SyncDir(filepath.Dir(w.target)); err != nil {
		return fmt.Errorf("replacing %s: %w", w.target, err)
	}
	return nil
}

// CommitUnsynced is Commit for one of many files in a folder: the contents are on the disk, and the caller makes their
// names last with one SyncDir for all of them.
func (w *Writer) CommitUnsynced() error {
	if w.done {
		return errors.New("replacing " + w.target + ": already ended")
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

// Abort throws the new contents away. After Commit or Abort it does nothing.
func (w *Writer) Abort() {
	if w.done {
		return
	}
	w.done = true
	w.file.Close()
	os.Remove(w.file.Name())
}

// SyncDir makes renames and removals in a folder last through a loss of power.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
