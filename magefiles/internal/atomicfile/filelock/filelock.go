// Package filelock keeps processes apart by a file that one of them holds. The kernel lets go of it when its process ends, however it does.
package filelock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ErrHeld is in the chain of the error when another process, or another part of this one, holds the file.
var ErrHeld = errors.New("it is held by another process")

// Take opens the file for reading and writing, and makes it where it is not there, in a folder that is. [Release] lets go. Whoever holds the file
// may remove it, with its folder: who has opened it before then does not hold what nobody else finds any more, and begins with a new one.
// Errors: ErrHeld; fs.ErrNotExist where the folder was removed.
func Take(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			f.Close()
			return nil, fmt.Errorf("%s: %w", path, ErrHeld)
		case err != nil:
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
		held, err := f.Stat()
		found, gone := os.Stat(path)
		switch {
		case err != nil:
			return nil, errors.Join(err, Release(f))
		case gone == nil && os.SameFile(held, found):
			return f, nil
		}
		if err := Release(f); err != nil {
			return nil, err
		}
	}
}

// Held reports whether a process holds the file. It makes nothing; a file that is not there is held by nobody. Who takes the file at the same moment
// may find it held.
func Held(path string) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, f.Close()
	}
	return false, errors.Join(err, Release(f))
}

// Release lets go of a file that was taken, and closes it. Closing alone does not: a child that is being started has all files of this process
// until it runs its program, and the kernel would take it for one who holds them.
func Release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
