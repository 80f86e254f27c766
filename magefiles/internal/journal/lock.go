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

// ErrLocked means that another process has the lock. The error text names the process and the time when it took the lock.
var ErrLocked = errors.New("locked")

// Lock locks a file for this process, and creates the file if necessary. The kernel releases the lock when the process ends, for whatever reason. If
// the previous holder did not unlock the file, `killed` is the time when that holder took the lock.
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
	killed, _ = time.Parse(time.RFC3339, string(since)) // zero if the file does not name a holder
	text := fmt.Sprintf("process %d since %s\n", os.Getpid(), time.Now().UTC().Format(time.RFC3339))
	if err := errors.Join(f.Truncate(0), writeAt(f, text)); err != nil {
		return nil, killed, errors.Join(err, filelock.Release(f))
	}
	return func() {
		_ = f.Truncate(0) // ignore the error: leftover text only means that a process was killed
		_ = filelock.Release(f)
	}, killed, nil
}

// Hold takes the lock without changing the text in the file, which may be about a killed run. The errors are the same as Lock's, but Hold returns
// fs.ErrNotExist if the file does not exist.
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

// Holder returns the process that has the lock, such as "process 7 since 2026-01-02T03:04:05Z", or "" if there is none. It does not create the file.
// If the file names a holder, Holder tries to lock the file, because that process may have been killed.
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

// patience is how many times heldBy reads a lock file that does not name its holder, at intervals of 10 ms.
var patience = 500

// heldBy returns the name of the lock's holder. A process that has just taken the lock may not have written its name yet, so heldBy retries.
func heldBy(path string) string {
	const often = 10 * time.Millisecond
	said := "another process"
	_, _ = pause.Wait{First: often, For: time.Duration(patience) * often}.Until(context.Background(), func(context.Context) (pause.Seen, error) {
		holder, _ := os.ReadFile(path) // an unreadable file counts as empty
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
