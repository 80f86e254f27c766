// Package filelock implements locks between processes by locking files. The kernel releases a lock when the process ends, for whatever reason.
package filelock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// ErrHeld means that the file is locked, by another process or by this one.
var ErrHeld = errors.New("another process holds this lock")

// Take locks a file and opens it for reading and writing. It creates the file, but not its folder. [Release] unlocks it. The holder may remove the
// file and its folder. Take checks that the file it locked still exists at path, and otherwise tries again, so that two processes never hold
// different files with the same path. It returns ErrHeld if the file is locked, and fs.ErrNotExist if the folder does not exist.
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

// Held reports whether a file is locked. It does not create the file, and returns false if there is none. Held locks the file for a moment, so a
// concurrent call of Take may fail.
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

// Release unlocks and closes a file. Closing is not enough, because a child process inherits all open files until it executes its program, and would
// keep the lock.
func Release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
