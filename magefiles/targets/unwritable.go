package targets

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// place is a folder that we write to, and what says where it is.
type place struct {
	dir  string // absolute
	what string // for people: "the cache folder"
	next string // what to do where it cannot be written
}

// places are the folders that we write to, the innermost first: one may lie in another.
func (s surroundings) places() []place {
	var all []place
	add := func(dir, what, next string) {
		if filepath.IsAbs(dir) {
			all = append(all, place{dir: filepath.Clean(dir), what: what, next: next})
		}
	}
	add(s.cache, "the cache folder", "set XDG_CACHE_HOME to a folder that can be written (or HOME, where that is not set)")
	if s.checkout != s.temporary {
		add(s.checkout, "the checkout", "work in a clone that can be written: outputs, environments and git's own files lie in it")
	}
	add(s.temporary, "the folder for temporary files", "set TMPDIR to a folder that is there and can be written")
	add(s.home, "the home folder", "set HOME to a folder that can be written")
	return all
}

// surroundings are the folders of this process, absolute; "" where there is none.
type surroundings struct{ cache, checkout, temporary, home string }

// unwritable says of an error of the file system which folder of ours cannot be written to, and which variable names another one; any
// other error is returned as it is.
func unwritable(err error, s surroundings) error {
	path, number := pathOf(err)
	if path == "" || operr.CureOf(err) != "" {
		return err
	}
	for _, p := range s.places() {
		if !within(p.dir, path) && !within(path, p.dir) {
			continue
		}
		var says string
		switch {
		case number == syscall.EROFS, number == syscall.EACCES || number == syscall.EPERM:
			if number != syscall.EROFS && (writable(path) || isFile(path) && writable(filepath.Dir(path))) {
				return err // it is about something else, as one file that is read-only, or that cannot be read
			}
			says = "cannot be written"
		case number == syscall.ENOTDIR:
			says = "is not a folder"
		case (number == syscall.ENOSPC || number == syscall.EDQUOT) && within(p.dir, path):
			says, p.next = "is full", "make room there, or "+p.next
		case number == syscall.ENOENT && !isThere(p.dir):
			says = "is not there"
		default:
			continue
		}
		told := &operr.Error{Summary: p.what + " " + p.dir + " " + says + ": " + cause(err), Err: operr.Cured(p.next, err), Status: operr.ExitStatus(err)}
		if err.Error() != cause(err) {
			return told.WithDetail(strings.TrimSpace(err.Error() + "\n" + operr.DetailOf(err)))
		}
		return told
	}
	return err
}

// pathOf is the path that an error of the file system is about, and why; "" where it is about none.
func pathOf(err error) (string, syscall.Errno) {
	var number syscall.Errno
	var of *fs.PathError
	var two *os.LinkError
	switch {
	case !errors.As(err, &number):
	case errors.As(err, &of) && filepath.IsAbs(of.Path):
		return filepath.Clean(of.Path), number
	case errors.As(err, &two) && filepath.IsAbs(two.New):
		return filepath.Clean(two.New), number
	}
	return "", 0
}

// cause is the sentence of the file system in an error.
func cause(err error) string {
	var of *fs.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &of):
		return of.Error()
	case errors.As(err, &two):
		return two.Error()
	}
	return err.Error()
}

// within says whether a path is a folder, or below it.
func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// writable says whether a path, or what is there of the way to it, may be written to.
func writable(path string) bool {
	for ; ; path = filepath.Dir(path) {
		if isThere(path) || path == filepath.Dir(path) {
			const write = 2
			return syscall.Access(path, write) == nil
		}
	}
}

func isFile(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

func isThere(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// checkTemporary says of a folder for temporary files that it cannot be used: many programs that we start would say less.
func checkTemporary(s surroundings) error {
	st, err := os.Stat(s.temporary)
	if err == nil && !st.IsDir() {
		err = &fs.PathError{Op: "stat", Path: s.temporary, Err: syscall.ENOTDIR}
	}
	if err == nil && !writable(s.temporary) {
		err = &fs.PathError{Op: "open", Path: s.temporary, Err: syscall.EACCES}
	}
	if err == nil {
		return nil
	}
	return unwritable(err, surroundings{temporary: s.temporary})
}
