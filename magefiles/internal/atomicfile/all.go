package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Change gives one of several files other contents.
type Change struct {
	Path string // relative to the root, with slashes; not a symlink
	Old  []byte // what it must hold now; nil for a file that must not be there
	New  []byte // what it shall hold; nil for a file that shall not be there
}

// Errors of ReplaceAll that a caller may want to tell apart. In all of them nothing was changed.
var (
	ErrChanged     = errors.New("it is not what it was")
	ErrReadOnly    = errors.New("it is read-only")
	ErrBusy        = errors.New("another process is replacing files")
	ErrInterrupted = errors.New("an earlier replacement was interrupted")
)

// ReplaceAll replaces files below root as one: all, or on an error none of them.
//
// The contents, old and new, first go into a journal, which is synced to the disk; only then is the first file touched.
// Whoever dies on the way leaves the journal behind, and Undo brings the old contents back from it. The files need no
// sync of their own: one for their file system, before the journal goes, makes them outlast a loss of power.
//
// A file is written in place, so that owner, permissions, access lists and the file's identity stay, and so that a full
// disk is no obstacle to going back. One that has a second name (a hard link, as snapshots of a tree are made of) is
// replaced instead: the other name keeps what it has. A read-only file is refused, whoever we are.
//
// journal is the journal's path; its folder is made. It must be the same for all who may change these files.
func ReplaceAll(root, journal string, changes []Change) error {
	return replaceAll(root, journal, changes, true)
}

// ReplaceAllUnsynced is ReplaceAll for a caller who can get the files' contents elsewhere after a loss of power, such as
// from the version control system: it does not wait for everything that the machine has yet to write.
func ReplaceAllUnsynced(root, journal string, changes []Change) error {
	return replaceAll(root, journal, changes, false)
}

func replaceAll(root, journal string, changes []Change, synced bool) error {
	unlock, err := lock(journal)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := os.Lstat(journal); err == nil {
		return fmt.Errorf("%w: %s", ErrInterrupted, journal)
	}
	b := &batch{root: root, changes: changes, devices: map[uint64]string{}}
	for _, c := range changes {
		if err := b.check(c); err != nil {
			return fmt.Errorf("%s: %w", c.Path, err)
		}
	}
	if len(changes) == 0 {
		return nil
	}
	if err := writeJournal(journal, changes); err != nil {
		return err
	}
	if err := b.write(); err != nil {
		if back := b.undo(); back != nil {
			return errors.Join(err, fmt.Errorf("and going back: %w; %s has the old contents", back, journal))
		}
		return errors.Join(err, os.Remove(journal))
	}
	if synced {
		if err := b.sync(); err != nil {
			return err
		}
	}
	return os.Remove(journal)
}

// Check reports whether ReplaceAll could begin: nil, or the first of its errors. Nothing is written.
func Check(root string, changes []Change) error {
	b := &batch{root: root}
	for _, c := range changes {
		if err := b.check(c); err != nil {
			return fmt.Errorf("%s: %w", c.Path, err)
		}
	}
	return nil
}

// Undone says what Undo found.
type Undone struct {
	Files   int      // that an interrupted ReplaceAll was to change; 0: there was none
	Changed []string // those that it had changed, or begun to, and that hold their old contents again
	Foreign []string // those that hold neither the old nor the new contents, and were left alone
}

// Undo takes back what an interrupted ReplaceAll has done. Without one it does nothing.
func Undo(root, journal string) (Undone, error) {
	if _, err := os.Lstat(journal); errors.Is(err, fs.ErrNotExist) {
		return Undone{}, nil
	}
	unlock, err := lock(journal)
	if err != nil {
		return Undone{}, err
	}
	defer unlock()
	changes, err := readJournal(journal)
	if errors.Is(err, fs.ErrNotExist) {
		return Undone{}, nil // who held the lock was not dead, and is done
	}
	if err != nil {
		return Undone{}, err
	}
	out := Undone{Files: len(changes)}
	b := &batch{root: root, devices: map[uint64]string{}}
	for _, c := range changes {
		b.removeTemporary(c.Path)
		now, err := b.read(c.Path)
		switch {
		case err != nil:
			return out, fmt.Errorf("%s: %w", c.Path, err)
		case same(now, c.Old):
		case between(now, c.Old, c.New):
			out.Changed = append(out.Changed, c.Path)
			b.changes = append(b.changes, Change{Path: c.Path, Old: now, New: c.Old})
		default:
			out.Foreign = append(out.Foreign, c.Path)
		}
	}
	if err := errors.Join(b.write(), b.sync()); err != nil {
		return out, err
	}
	return out, os.Remove(journal)
}

// same tells an empty file from none.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// between reports whether a file holds the new contents, or those of a write that was cut off: it begins as the new ones
// and goes on as the old ones.
func between(now, old, next []byte) bool {
	if same(now, next) {
		return true
	}
	if next == nil || now == nil {
		return false
	}
	n := 0
	for n < len(now) && n < len(next) && now[n] == next[n] {
		n++
	}
	return bytes.Equal(now[n:], old[min(n, len(old)):])
}
