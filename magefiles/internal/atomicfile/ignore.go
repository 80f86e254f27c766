package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeIgnored makes a folder, and those above it, of which git commits nothing but the names given: by a .gitignore in it, which it
// writes where there is none. One that is there is somebody's own, and may be committed: it stays.
func MakeIgnored(dir string, but ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, ".gitignore")
	switch st, err := os.Lstat(name); {
	case err == nil && (st.Size() > 0 || !st.Mode().IsRegular()): // an empty one is that of a run which was killed
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	text := "*\n"
	for _, b := range but {
		text += "!" + b + "\n"
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // a link that is there by now is not followed
	if errors.Is(err, fs.ErrExist) {
		return nil // another run was faster
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
