package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// MakeIgnored creates a folder and its parents. It writes a .gitignore that makes git ignore everything in the folder except the names in `but`. An
// existing .gitignore is kept, because it belongs to the user and may be committed.
func MakeIgnored(dir string, but ...string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, ".gitignore")
	switch st, err := os.Lstat(name); {
	case err == nil && (st.Size() > 0 || !st.Mode().IsRegular()): // an empty file is a leftover of a killed run
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
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // O_EXCL does not follow a symlink that was created in the meantime
	if errors.Is(err, fs.ErrExist) {
		return nil // a concurrent run has created it
	}
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
