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

// Whatever operation failed, the error names the folder that is not writable, and the environment variable that sets its location.
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
		"the cache":               {at(syscall.EROFS, "home", ".cache", "pixi-release", "tools"), "the cache folder " + s.Cache + " cannot be written: mkdir", "XDG_CACHE_HOME"},
		"above the cache":         {at(syscall.EROFS, "home", ".cache"), "the cache folder", "XDG_CACHE_HOME"},
		"a home that is a file":   {at(syscall.ENOTDIR, "home"), "is not a folder", "XDG_CACHE_HOME"},
		"a full cache":            {at(syscall.ENOSPC, "home", ".cache", "pixi-release", "x"), "is full", "make room on the disk of this folder, or set XDG_CACHE_HOME"},
		"no temporary folder":     {at(syscall.ENOENT, "tmp", "index-1"), "the folder for temporary files " + s.Temporary + " does not exist", "TMPDIR"},
		"a read-only checkout":    {at(syscall.EROFS, "repo", "output"), "the checkout " + s.Checkout + " cannot be written", "a writable clone"},
		"another file in HOME":    {at(syscall.EROFS, "home", ".rattler"), "the home folder", "set HOME"},
		"an error with two paths": {&os.LinkError{Op: "rename", Old: "x", New: filepath.Join(s.Checkout, "pixi.toml"), Err: syscall.EROFS}, "the checkout", "clone"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("the build: %w", c.err), operr.NewUsage("run it again", "upgrading: %w", c.err).WithDetail("first\nlines")} {
			told := s.Explain(err)
			require.ErrorContains(t, told, c.says, name)
			require.Contains(t, operr.NextOf(told), c.next, name)
			require.ErrorIs(t, told, c.err)
			require.Equal(t, operr.ExitStatus(err), operr.ExitStatus(told))
			require.Equal(t, told, s.Explain(told), "an explained error does not change")
			require.Contains(t, operr.DetailOf(told), operr.DetailOf(err))
		}
	}
	require.NoError(t, os.Mkdir(s.Checkout, 0o755))
	for name, err := range map[string]error{
		"nothing":                  nil,
		"an error without a file":  errors.New("odd"),
		"elsewhere":                &fs.PathError{Op: "open", Path: "/somewhere/else", Err: syscall.EACCES},
		"a file that is not there": at(syscall.ENOENT, "repo", "pixi.toml"),
		"a writable file":          &fs.PathError{Op: "open", Path: s.Checkout, Err: syscall.EACCES},
		"a relative path":          &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS},
	} {
		require.Equal(t, err, s.Explain(err), name)
	}
}

// The temporary folder is checked before any program starts, because the error messages of other programs would be less helpful.
func TestTemporaryFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for dir, says := range map[string]string{
		filepath.Join(t.TempDir(), "gone"): "does not exist", file: "is not a folder", filepath.Join(file, "below"): "is not a folder",
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
