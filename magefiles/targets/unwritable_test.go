package targets

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Whatever was being done, a folder of ours that cannot be written is named, and the variable that says where it is.
func TestUnwritable(t *testing.T) {
	root := t.TempDir()
	s := surroundings{
		cache:     filepath.Join(root, "home", ".cache", "pixi-release"),
		checkout:  filepath.Join(root, "repo"),
		temporary: filepath.Join(root, "tmp"),
		home:      filepath.Join(root, "home"),
	}
	at := func(number syscall.Errno, parts ...string) error {
		return &fs.PathError{Op: "mkdir", Path: filepath.Join(append([]string{root}, parts...)...), Err: number}
	}
	for name, c := range map[string]struct {
		err        error
		says, next string
	}{
		"the cache":              {at(syscall.EROFS, "home", ".cache", "pixi-release", "tools"), "the cache folder " + s.cache + " cannot be written: mkdir", "XDG_CACHE_HOME"},
		"above the cache":        {at(syscall.EROFS, "home", ".cache"), "the cache folder", "XDG_CACHE_HOME"},
		"a home that is a file":  {at(syscall.ENOTDIR, "home"), "is not a folder", "XDG_CACHE_HOME"},
		"a full cache":           {at(syscall.ENOSPC, "home", ".cache", "pixi-release", "x"), "is full", "make room there, or set XDG_CACHE_HOME"},
		"no temporary folder":    {at(syscall.ENOENT, "tmp", "index-1"), "the folder for temporary files " + s.temporary + " is not there", "TMPDIR"},
		"a read-only checkout":   {at(syscall.EROFS, "repo", "output"), "the checkout " + s.checkout + " cannot be written", "a clone that can be written"},
		"another file of HOME's": {at(syscall.EROFS, "home", ".rattler"), "the home folder", "set HOME"},
		"of two names":           {&os.LinkError{Op: "rename", Old: "x", New: filepath.Join(s.checkout, "pixi.toml"), Err: syscall.EROFS}, "the checkout", "clone"},
	} {
		for _, err := range []error{c.err, fmt.Errorf("the build: %w", c.err), operr.NewUsage("run it again", "upgrading: %w", c.err).WithDetail("first\nlines")} {
			told := unwritable(err, s)
			require.ErrorContains(t, told, c.says, name)
			require.Contains(t, operr.NextOf(told), c.next, name)
			require.ErrorIs(t, told, c.err)
			require.Equal(t, operr.ExitStatus(err), operr.ExitStatus(told))
			require.Equal(t, told, unwritable(told, s), "once is enough")
			require.Contains(t, operr.DetailOf(told), operr.DetailOf(err))
		}
	}
	require.NoError(t, os.Mkdir(s.checkout, 0o755))
	for name, err := range map[string]error{
		"nothing":                  nil,
		"not of a file":            errors.New("odd"),
		"elsewhere":                &fs.PathError{Op: "open", Path: "/somewhere/else", Err: syscall.EACCES},
		"a file that is not there": at(syscall.ENOENT, "repo", "pixi.toml"),
		"may be written":           &fs.PathError{Op: "open", Path: s.checkout, Err: syscall.EACCES},
		"not absolute":             &fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS},
	} {
		require.Equal(t, err, unwritable(err, s), name)
	}
}

// A folder for temporary files is looked at before many programs are started that would say less.
func TestTheFolderForTemporaryFiles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for dir, says := range map[string]string{
		filepath.Join(t.TempDir(), "gone"): "is not there", file: "is not a folder", filepath.Join(file, "below"): "is not a folder",
	} {
		err := checkTemporary(surroundings{temporary: dir})
		require.ErrorContains(t, err, says)
		require.Contains(t, operr.NextOf(err), "TMPDIR")
	}
	require.NoError(t, checkTemporary(surroundings{temporary: t.TempDir()}))
	if os.Getuid() != 0 {
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o555))
		require.ErrorContains(t, checkTemporary(surroundings{temporary: dir}), "cannot be written")
	}
}
