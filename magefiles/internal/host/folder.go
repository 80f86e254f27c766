package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// longest is what a socket's path may have: 104 bytes on macOS, with ssh's own ending while it makes one.
const longest = 80

const (
	folderPrefix = "deploy-"
	heldFile     = "foopack.lock" // held by whoever uses the folder, and free once it is killed
)

// folder is a private one, for a socket and for what ssh logs in by.
type folder struct {
	path string
	held *os.File
}

// newFolder makes a folder that nobody else looks into, whose path is short and plain enough for a socket, and for ssh. Those of runs that were
// killed are removed: a key may be in them.
func newFolder() (*folder, error) {
	parent := os.TempDir()
	if len(parent) > longest-20 || !plain.MatchString(parent) {
		parent = "/tmp"
	}
	sweep(parent)
	for range 10 {
		path, err := os.MkdirTemp(parent, folderPrefix)
		if err == nil {
			path = strings.TrimSuffix(path, "/")
			var held *os.File
			if held, err = filelock.Take(filepath.Join(path, heldFile)); err == nil {
				return &folder{path: path, held: held}, held.Chmod(0o600)
			}
		}
		if !errors.Is(err, filelock.ErrHeld) && !errors.Is(err, fs.ErrNotExist) {
			return nil, operr.New("see that files can be made in "+parent, "making a folder for a socket: %w", err)
		}
		// Somebody who sweeps came in between, and removes it, or has.
	}
	return nil, operr.New("run it again", "making a folder for a socket in %s: others remove it", parent)
}

// remove takes the folder away with all that is in it.
func (f *folder) remove() error { return errors.Join(os.RemoveAll(f.path), filelock.Release(f.held)) }

// sweep removes folders of this user whose runs have ended without doing so.
func sweep(parent string) {
	paths, _ := filepath.Glob(filepath.Join(parent, folderPrefix+"*", heldFile)) // the pattern is well-formed
	for _, path := range paths {
		dir := filepath.Dir(path)
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || info.Mode().Perm() != 0o700 {
			continue
		}
		if of, known := info.Sys().(*syscall.Stat_t); !known || int(of.Uid) != os.Getuid() {
			continue
		}
		if held, err := filelock.Take(path); err == nil {
			_ = (&folder{path: dir, held: held}).remove() // the next run tries it again
		}
	}
}
