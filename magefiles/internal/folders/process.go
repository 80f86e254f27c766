// Package folders lists the folders that the pipeline writes to: the folders of this process, and the folders of a workspace, which builds write
// to and clean empties. Its errors name the folder that is not writable, and the next step.
//
//	process.go     the cache, the checkout, temporary files and the home folder
//	workspace.go   output and .pixi, and checking them
//	own.go         refusing symlinks that lead out of the work tree
//	clean.go made.go    removing the results of builds
//	busy.go             finding other runs that use these folders
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

// place is a folder that we write to, with the next step if it is not writable.
type place struct {
	dir  string // absolute
	what string // description, such as "the cache folder"
	next string // next step if the folder is not writable
}

// `places` returns the folders that we write to, innermost first, because they may be nested.
func (s Process) places() []place {
	var all []place
	add := func(dir, what, next string) {
		if filepath.IsAbs(dir) {
			all = append(all, place{dir: filepath.Clean(dir), what: what, next: next})
		}
	}
	add(s.Cache, "the cache folder", "set XDG_CACHE_HOME to a writable folder, or HOME if XDG_CACHE_HOME is not set")
	if s.Checkout != s.Temporary {
		add(s.Checkout, "the checkout", "work in a writable clone, because builds and git write files into the clone")
	}
	add(s.Temporary, "the folder for temporary files", "set TMPDIR to an existing, writable folder")
	add(s.Home, "the home folder", "set HOME to a writable folder")
	return all
}

// Process has the absolute paths of this process's folders. A path is "" if there is no such folder.
type Process struct{ Cache, Checkout, Temporary, Home string }

// Checkout returns the work tree that contains a folder, or the folder itself if neither it nor a parent has a .git.
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

// Explain adds details to a file system error: which of our folders is not writable, and which variable changes its location. It returns other errors
// unchanged.
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
				return err // the error has another cause, such as a single file that is read-only or unreadable
			}
			says = "cannot be written"
		case number == syscall.ENOTDIR:
			says = "is not a folder"
		case (number == syscall.ENOSPC || number == syscall.EDQUOT) && within(p.dir, path):
			says, p.next = "is full", "make room on the disk of this folder, or "+p.next
		case number == syscall.ENOENT && !isThere(p.dir):
			says = "does not exist"
		default:
			continue
		}
		told := &operr.Error{Summary: p.what + " " + p.dir + " " + says + ": " + cause(err), Err: operr.AddCure(p.next, err), Status: operr.ExitStatus(err)}
		if err.Error() != cause(err) {
			return told.WithDetail(strings.TrimSpace(err.Error() + "\n" + operr.DetailOf(err)))
		}
		return told
	}
	return err
}

// pathOf returns the absolute path and the error number in a file system error, or "" if there is no path.
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

// cause returns the message of the underlying file system error.
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

// `within` reports whether a path is a folder or below it.
func within(dir, path string) bool {
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// writable reports whether a path, or its nearest existing parent, is writable.
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

// CheckTemporary returns an error if the temporary folder is not usable. Many programs that we start would print a less helpful error.
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
