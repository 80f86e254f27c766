// Package filelock keeps processes apart by a file that one of them holds. The kernel lets go of it when its process ends, however it does.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrHeld is in the chain of the error when another process, or another part of this one, holds the file.
var ErrHeld = errors.New("it is held by another process")

// Take opens the file for reading and writing, and makes it where it is not there, in a folder that is. [Release] lets go.
// Errors: ErrHeld.
func Take(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s: %w", path, ErrHeld)
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}

// Release lets go of a file that was taken, and closes it. Closing alone does not: a child that is being started has all files of this process
// until it runs its program, and the kernel would take it for one who holds them.
func Release(f *os.File) error {
	return errors.Join(syscall.Flock(int(f.Fd()), syscall.LOCK_UN), f.Close())
}
