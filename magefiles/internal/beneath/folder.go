package beneath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Folder writes files with untrusted names below a folder. os.Root ensures that names do not leave the folder. Folder also refuses symlinks that stay
// inside, which os.Root would follow.
type Folder struct {
	root    *os.Root
	folders map[string]bool // paths that are known to be folders, not symlinks
}

// Open opens an existing folder. The caller must close it.
func Open(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root: root, folders: map[string]bool{".": true}}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Write creates a file with the given contents and mode (before umask), and missing parent folders. An existing file is removed first, because it may
// have a hard link, for example in a cache. A symlink with the same name, or in the path, is a *LinkError. A folder with the same name is an error
// too. The name is relative, with slashes.
func (f *Folder) Write(name string, data []byte, mode fs.FileMode) error {
	clean := path.Clean(name)
	if !filepath.IsLocal(filepath.FromSlash(name)) || clean == "." {
		return fmt.Errorf("the path %q leads out of the folder %s", name, f.root.Name())
	}
	if err := f.makeFolder(path.Dir(clean)); err != nil {
		return err
	}
	switch st, err := f.root.Lstat(clean); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case st.Mode()&fs.ModeSymlink != 0:
		return f.link(name, clean)
	case st.IsDir():
		return fmt.Errorf("%q is a folder, not a file", name)
	default:
		if err := f.root.Remove(clean); err != nil {
			return err
		}
	}
	out, err := f.root.OpenFile(clean, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode.Perm())
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return errors.Join(err, out.Close())
}

// makeFolder creates a folder and its parents. It refuses symlinks.
func (f *Folder) makeFolder(name string) error {
	if f.folders[name] {
		return nil
	}
	if err := f.makeFolder(path.Dir(name)); err != nil {
		return err
	}
	switch st, err := f.root.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
		if err := f.root.Mkdir(name, 0o755); err != nil {
			return err
		}
	case err != nil:
		return err
	case st.Mode()&fs.ModeSymlink != 0:
		return f.link(name, name)
	case !st.IsDir():
		return fmt.Errorf("%q is not a folder", name)
	}
	f.folders[name] = true
	return nil
}

func (f *Folder) link(name, link string) error {
	leads, _ := f.root.Readlink(link) // only used in the error
	return &LinkError{Name: name, Link: link, Leads: leads}
}

// WriteFile writes one file in the existing folder dir, like Folder.Write.
func WriteFile(dir, name string, data []byte, mode fs.FileMode) error {
	f, err := Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Write(name, data, mode), f.Close())
}
