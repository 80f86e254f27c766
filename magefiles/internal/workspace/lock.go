package workspace

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// LockOf returns the path of a downstream's lock file relative to top, a folder that contains the workspace, or "" if there is no lock
// file.
func (w *Workspace) LockOf(d *Downstream, top string) (string, error) {
	file := filepath.Join(w.Root, filepath.FromSlash(d.Dir), LockFile)
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	name, err := filepath.Rel(top, file)
	return filepath.ToSlash(name), err
}
