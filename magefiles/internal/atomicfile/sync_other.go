//go:build !linux

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

// syncFileSystem syncs each file, because only Linux can sync a single file system.
func syncFileSystem(_ string, b *batch) error {
	for _, c := range b.changes {
		f, err := os.Open(b.path(c.Path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = errors.Join(f.Sync(), f.Close())
		if err != nil {
			return err
		}
	}
	return nil
}
