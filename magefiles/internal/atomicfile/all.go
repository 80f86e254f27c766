package atomicfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Change is a change of one file in a batch.
type Change struct {
	Path string // relative to the root, with slashes; must not be a symlink
	Old  []byte // required current content; nil if the file must not exist
	New  []byte // new content; nil removes the file
}

// Errors of ReplaceAll. If it returns one of these, no file was changed.
var (
	ErrChanged     = errors.New("its content has changed")
	ErrReadOnly    = errors.New("the file is read-only")
	ErrBusy        = errors.New("another process is replacing files")
	ErrInterrupted = errors.New("an earlier replacement was interrupted")
)

// ReplaceAll replaces several files below root atomically. On error, none of them is changed.
//
// It first writes the old and the new contents to a journal, and syncs the journal to disk, before it touches any file. If the process dies, the
// journal remains, and Undo restores the old contents from it. The files are not synced one by one. Instead, their file system is synced once,
// before the journal is removed.
//
// Files are overwritten in place. This preserves owner, permissions, access control lists and inode, and ensures that a change can be reverted
// when the disk is full. A file with several hard links, as in snapshots of a tree, is replaced instead, so that the other links keep their
// contents. A read-only file is an error, even for root.
//
// journal is the path of the journal. Its folder is created. All processes that may change these files must use the same journal.
func ReplaceAll(root, journal string, changes []Change) error {
	return replaceAll(root, journal, changes, true)
}

// ReplaceAllUnsynced is like ReplaceAll, but does not sync the file system. It is for callers that can restore the contents after a power failure,
// for example from version control.
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
		return fmt.Errorf("%w; its journal is %s", ErrInterrupted, journal)
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
			return errors.Join(err, fmt.Errorf("restoring the files failed, too: %w; the journal %s has the old contents", back, journal))
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

// Check returns the error that ReplaceAll would return before it changes a file, or nil. It writes nothing.
func Check(root string, changes []Change) error {
	b := &batch{root: root}
	for _, c := range changes {
		if err := b.check(c); err != nil {
			return fmt.Errorf("%s: %w", c.Path, err)
		}
	}
	return nil
}

// Undone is the result of Undo.
type Undone struct {
	Files   int      // number of files in the interrupted ReplaceAll; 0 if there was none
	Changed []string // files that it had changed, at least partly, and that now have their old contents
	Foreign []string // files that someone else has changed since: they have neither the old nor the new contents, and stay as they are
}

// Undo reverts the changes of an interrupted ReplaceAll. It is a no-op if there is none.
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
		return Undone{}, nil // the process that had the lock has completed
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

// `same` reports whether two contents are equal. nil, which means that the file does not exist, differs from an empty file.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// between reports whether a file has the new contents, or the contents after an interrupted write: the first part of the new contents, followed by
// the rest of the old ones.
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
