package folders_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/folders"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Whatever was being done, a folder of ours that cannot be written is named, and the variable that says where it is.
func TestUnwritable(t *testing.T) {
	root := t.TempDir()
	s := folders.Process{
		Cache:     filepath.Join(root, "home", ".cache", "pixi-release"),
		Checkout:  filepath.Join(root, "repo"),
		Temporary: filepath.Join(root, "tmp"),
		Home:      filepath.Join(root, "home"),
	}
	at := func(number syscall.Errno, parts ...string) error {
		return &fs.PathError{Op: "mkdir", Path: filepath.Join(append([]string{root}, parts...)...), Err: number}
	}
	for name, c := range map[string]struct {
		err        error
		says, next string
	}{
		"the cache":              {at(syscall.EROFS, "home", ".cache", "pixi-release", "tools"), "the cache folder " + s.Cache + " cannot be written: mkdir", "XDG_CACHE_HOME"},
		"above the cache":        {at(syscall.EROFS, "home", ".cache"), "the cache folder", "XDG_CACHE_HOME"},
		"a home that is a file":  {at(syscall.ENOTDIR, "home"), "is not a folder", "XDG_CACHE_HOME"},
		"a full cache":           {at(syscall.ENOSPC, "home", ".cache", "pixi-release", "x"), "is full", "make room there, or set XDG_CACHE_HOME"},
		"no temporary folder":    {at(syscall.ENOENT, "tmp", "index-1"), "the folder for temporary files " + s.Temporary + " is not there", "TMPDIR"},
		"a read-only checkout":   {at(syscall.EROFS, "repo", "output"), "the checkout " + s.Checkout + " cannot be written", "a clone that can be written"},
		"another file of HOME's": {at(syscall.EROFS, "home", ".rattler"), "the home folder", "set HOME"},
		"of two names":           {&os.LinkError{Op: "rename", Old: "x", New: filepath.Join(s.Checkout, "pixi.toml"), Err: syscall.EROFS}, "the checkout", "clone"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("the build: %w", c.err), operr.NewUsage("run it again", "upgrading: %w", c.err).WithDetail("first\nlines")} {
			told := s.Explain(err)
			require.ErrorContains(t, told, c.says, name)
			require.Contains(t, operr.NextOf(told), c.next, name)
			require.ErrorIs(t, told, c.err)
			require.Equal(t, operr.ExitStatus(err), operr.ExitStatus(told))
			require.Equal(t, told, s.Explain(told), "once is enough")
			require.Contains(t, operr.DetailOf(told), operr.DetailOf(err))
		}
	}
	require.NoError(t, os.Mkdir(s.Checkout, 0o755))
	for name, err := range map[string]error{
		"nothing":                  nil,
		"not of a file":            errors.New("odd"),
		"elsewhere":                &fs.PathError{Op: "open", Path: "/somewhere/else", Err: syscall.EACCES},
		"a file that is not there": at(syscall.ENOENT, "repo", "pixi.toml"),
		"may be written":           &fs.PathError{Op: "open", Path: s.Checkout, Err: syscall.EACCES},
		"not absolute":             &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS},
	} {
		require.Equal(t, err, s.Explain(err), name)
	}
}

// A folder for temporary files is looked at before many programs are started that would say less.
func TestTheFolderForTemporaryFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for dir, says := range map[string]string{
		filepath.Join(t.TempDir(), "gone"): "is not there", file: "is not a folder", filepath.Join(file, "below"): "is not a folder",
	} {
		err := folders.Process{Temporary: dir}.CheckTemporary()
		require.ErrorContains(t, err, says)
		require.Contains(t, operr.NextOf(err), "TMPDIR")
	}
	require.NoError(t, folders.Process{Temporary: t.TempDir()}.CheckTemporary())
	if os.Getuid() != 0 {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o555))
		require.ErrorContains(t, folders.Process{Temporary: dir}.CheckTemporary(), "cannot be written")
	}
}
