package beneath

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Folder is a folder that is written to by names from elsewhere. The system refuses what leaves it (os.Root); links that stay in it,
// which the system would follow, are refused here.
type Folder struct {
	root    *os.Root
	folders map[string]bool // that were seen to be folders, and not links
}

// Open opens a folder that is there. The caller closes it.
func Open(dir string) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Folder{root: root, folders: map[string]bool{".": true}}, nil
}

// Close closes the folder.
func (f *Folder) Close() error { return f.root.Close() }

// Write makes a file with the contents and, less the umask, the mode; its folders are made where they are missing. A file of that name
// is removed first, and not written into: it may have another name, in a cache. A link, of that name or on the way, is a
// *LinkError, and a folder of that name an error. The name is relative, with slashes.
func (f *Folder) Write(name string, data []byte, mode fs.FileMode) error {
	clean := path.Clean(name)
	if !filepath.IsLocal(filepath.FromSlash(name)) || clean == "." {
		return fmt.Errorf("%q leaves the folder %s", name, f.root.Name())
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
		return fmt.Errorf("%q is a folder", name)
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

// makeFolder makes a folder and those above it, and sees that none is a link.
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
	leads, _ := f.root.Readlink(link) // it only tells
	return &LinkError{Name: name, Link: link, Leads: leads}
}

// WriteFile is Write for one file whose folder is there: dir, in which name is.
func WriteFile(dir, name string, data []byte, mode fs.FileMode) error {
	f, err := Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Write(name, data, mode), f.Close())
}
