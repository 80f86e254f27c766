package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// removeTemporary removes temporary files that WriteFile may have left when it replaced a file with several hard links.
func (b *batch) removeTemporary(name string) {
	dir, base := filepath.Split(b.path(name))
	entries, _ := os.ReadDir(dir) // a missing folder has no entries
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "."+base+".") && strings.HasSuffix(e.Name(), TempExt) {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// batch applies a list of changes.
type batch struct {
	root    string
	changes []Change
	begun   int               // number of changes that were started
	devices map[uint64]string // a folder on each affected file system, keyed by device number
}

func (b *batch) path(c string) string { return filepath.Join(b.root, filepath.FromSlash(c)) }

// check returns an error if a change cannot be made. It does not change anything.
func (b *batch) check(c Change) error {
	f, err := os.OpenFile(b.path(c.Path), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Old == nil:
		return b.checkFolder(c)
	case errors.Is(err, fs.ErrNotExist):
		return ErrChanged
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %w", ErrReadOnly, err)
	case err != nil:
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case st.Mode().Perm()&0o222 == 0:
		return ErrReadOnly // root could write to it, but must not
	case c.Old == nil || st.Size() != int64(len(c.Old)):
		return ErrChanged
	}
	now := make([]byte, len(c.Old))
	if _, err := io.ReadFull(f, now); err != nil || !bytes.Equal(now, c.Old) {
		return ErrChanged
	}
	if sys, ok := st.Sys().(*syscall.Stat_t); ok && sys.Nlink > 1 { // a file with several hard links is replaced, not overwritten
		return b.checkFolder(c)
	}
	return nil
}

// Writable returns an error if a file or a folder cannot be written to.
func Writable(path string) error {
	const write = 2 // W_OK
	return syscall.Access(path, write)
}

// checkFolder returns an error if no file can be created in the folder of a change.
func (b *batch) checkFolder(c Change) error {
	err := Writable(filepath.Dir(b.path(c.Path)))
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w, because its folder is read-only: %w", ErrReadOnly, err)
	}
	return nil
}

// read returns the contents of a file, or nil if it does not exist.
func (b *batch) read(name string) ([]byte, error) {
	data, err := os.ReadFile(b.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && data == nil {
		data = []byte{}
	}
	return data, err
}

func (b *batch) write() error {
	for _, c := range b.changes {
		b.begun++
		if err := b.replace(c); err != nil {
			return fmt.Errorf("writing %s: %w", c.Path, err)
		}
	}
	return nil
}

// undo reverts the changes that write started, in reverse order.
func (b *batch) undo() error {
	for _, c := range slices.Backward(b.changes[:b.begun]) {
		now, err := b.read(c.Path)
		if err == nil && !same(now, c.Old) {
			err = b.replace(Change{Path: c.Path, Old: now, New: c.Old})
		}
		if err != nil {
			return fmt.Errorf("writing %s: %w", c.Path, err)
		}
	}
	return nil
}

func (b *batch) replace(c Change) error {
	path := b.path(c.Path)
	if c.New == nil {
		return os.Remove(path)
	}
	flags := os.O_WRONLY
	if c.Old == nil {
		flags |= os.O_CREATE | os.O_EXCL
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	sys := st.Sys().(*syscall.Stat_t)
	b.devices[uint64(sys.Dev)] = filepath.Dir(path)
	if sys.Nlink > 1 {
		f.Close()
		return WriteFile(path, c.New, st.Mode().Perm())
	}
	return errors.Join(overwrite(f, st.Size(), c.New), f.Close())
}

// overwrite writes data to a file in place, and truncates the file if it was longer.
func overwrite(f *os.File, size int64, data []byte) error {
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	if int64(len(data)) < size {
		return f.Truncate(int64(len(data)))
	}
	return nil
}

// sync flushes all changed file systems, so that the changes survive a power failure.
func (b *batch) sync() error {
	for _, dir := range b.devices {
		if err := syncFileSystem(dir, b); err != nil {
			return err
		}
	}
	return nil
}
