// Package folders knows the folders that the pipeline writes to: those of this process, of which it says which one cannot be written,
// and what to do about it, and those of a workspace, which builds write to and clean empties.
//
//	process.go     the cache, the checkout, temporary files, home
//	workspace.go   output and .pixi, and what is refused at them
//	own.go         links that lead out of the work tree
//	clean.go made.go    what can be removed of them
//	busy.go             who works in them meanwhile
package folders

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
func (s Process) places() []place {
	var all []place
	add := func(dir, what, next string) {
		if filepath.IsAbs(dir) {
			all = append(all, place{dir: filepath.Clean(dir), what: what, next: next})
		}
	}
	add(s.Cache, "the cache folder", "set XDG_CACHE_HOME to a folder that can be written (or HOME, where that is not set)")
	if s.Checkout != s.Temporary {
		add(s.Checkout, "the checkout", "work in a clone that can be written: outputs, environments and git's own files lie in it")
	}
	add(s.Temporary, "the folder for temporary files", "set TMPDIR to a folder that is there and can be written")
	add(s.Home, "the home folder", "set HOME to a folder that can be written")
	return all
}

// Process has the folders of this process, absolute; "" where there is none.
type Process struct{ Cache, Checkout, Temporary, Home string }

// Checkout is the work tree that a folder is in, or the folder itself, where there is no .git on the way up.
func Checkout(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if isThere(filepath.Join(at, ".git")) {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// Explain says of an error of the file system which folder of ours cannot be written to, and which variable names another one; any
// other error is returned as it is.
func (s Process) Explain(err error) error {
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

// within reports whether a path is a folder, or below it.
func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// writable reports whether a path, or what is there of the way to it, may be written to.
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

// CheckTemporary says of the folder for temporary files that it cannot be used: many programs that we start would say less.
func (s Process) CheckTemporary() error {
	st, err := os.Stat(s.Temporary)
	if err == nil && !st.IsDir() {
		err = &fs.PathError{Op: "stat", Path: s.Temporary, Err: syscall.ENOTDIR}
	}
	if err == nil && !writable(s.Temporary) {
		err = &fs.PathError{Op: "open", Path: s.Temporary, Err: syscall.EACCES}
	}
	if err == nil {
		return nil
	}
	return Process{Temporary: s.Temporary}.Explain(err)
}
