package beneath

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrOutside is wrapped by the error of a file that is not read because it leads out of the folder it has to be in.
var ErrOutside = errors.New("leads out of the folder")

// ReadFile reads a file that has to be below top once all links are followed, links and ".." in its path included. It has to be a file:
// a device or a pipe would not end. Errors wrap ErrOutside, or are the system's: fs.ErrNotExist where it is not there.
func ReadFile(top, path string) ([]byte, error) {
	at, below := Leads(top, path)
	if !below {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it %w, to %s", ErrOutside, at)}
	}
	f, err := open(at, path, syscall.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// OpenFile is os.Open for a file of a stranger's, behind links too: it has to be one. A pipe would be waited for, and a device would not end.
func OpenFile(path string) (*os.File, error) { return open(path, path, 0) }

// Read is os.ReadFile for a file of a stranger's, as [OpenFile] is: one of a work tree, for example.
func Read(path string) ([]byte, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// ReadAtMost is os.ReadFile for a file of a stranger's, as [OpenFile] is, that has to have at most so many bytes.
func ReadAtMost(path string, most int64) ([]byte, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if int64(len(data)) > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("it has more than %d bytes", most)}
	}
	return data, err
}

// open opens a file to read it, and nothing that is not one; name is what errors call it.
func open(path, name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("it is not a file")}
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}
