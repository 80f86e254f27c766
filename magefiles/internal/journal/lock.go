package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
	"github.com/foopack/foopack/magefiles/internal/pause"
)

// ErrLocked is in the chain of the error when another process has the lock; its text says which, and since when.
var ErrLocked = errors.New("locked")

// Lock takes the file for this process, and makes it where it is not there. The kernel gives it back when the process
// ends, however it does. killed is when the process before this one took it, if that ended without unlocking it.
func Lock(path string) (unlock func(), killed time.Time, err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, killed, err
	}
	f, err := filelock.Take(path)
	if errors.Is(err, filelock.ErrHeld) {
		return nil, killed, fmt.Errorf("%w by %s", ErrLocked, heldBy(path))
	}
	if err != nil {
		return nil, killed, err
	}
	holder, err := io.ReadAll(f)
	if err != nil {
		return nil, killed, errors.Join(err, filelock.Release(f))
	}
	_, since, _ := bytes.Cut(bytes.TrimSpace(holder), []byte(" since "))
	killed, _ = time.Parse(time.RFC3339, string(since)) // the zero time where nobody holds it
	text := fmt.Sprintf("process %d since %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if err := errors.Join(f.Truncate(0), writeAt(f, text)); err != nil {
		return nil, killed, errors.Join(err, filelock.Release(f))
	}
	return func() {
		_ = f.Truncate(0) // a text that stays tells of a kill; it is no lock
		_ = filelock.Release(f)
	}, killed, nil
}

// Hold keeps other processes from the lock at path, and leaves in the file what it says of a run that was killed. The file must be there.
// Errors: as Lock has them; fs.ErrNotExist where the file is not there.
func Hold(path string) (release func(), err error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, err
	}
	f, err := filelock.Take(path)
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("%w by %s", ErrLocked, heldBy(path))
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = filelock.Release(f) }, nil
}

// Holder is who has the lock, such as "process 7 since 2026-01-02T03:04:05Z"; "" where nobody has it. Nothing is made. Only where a process was killed
// while it had the lock is the lock itself tried.
func Holder(path string) (string, error) {
	holder, err := os.ReadFile(path)
	if holder = bytes.TrimSpace(holder); errors.Is(err, fs.ErrNotExist) || err == nil && len(holder) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	held, err := filelock.Held(path)
	if !held || err != nil {
		return "", err
	}
	return string(holder), nil
}

// patience is how often a lock is read that does not say who has it, 10 ms apart.
var patience = 500

// heldBy is who has the lock, as the file says. A process that took it this moment has not written that yet.
func heldBy(path string) string {
	const often = 10 * time.Millisecond
	said := "another process"
	_, _ = pause.Wait{First: often, For: time.Duration(patience) * often}.Until(context.Background(), func(context.Context) (pause.Seen, error) {
		holder, _ := os.ReadFile(path) // what cannot be read says nobody
		if holder = bytes.TrimSpace(holder); len(holder) == 0 {
			return pause.Seen{}, nil
		}
		said = string(holder)
		return pause.Seen{Done: true}, nil
	})
	return said
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
