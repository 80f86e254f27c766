package beneath

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ErrOutside means that a file was not read because its path leads out of the required folder.
var ErrOutside = errors.New("leads out of the folder")

// ReadFile reads a regular file whose path, with all symlinks and ".." resolved, must be below top. Devices and pipes are refused, because reading
// them may never end. If the path leads elsewhere, the error wraps ErrOutside. Other errors, such as fs.ErrNotExist, are returned as they are.
func ReadFile(top, path string) ([]byte, error) {
	at, below := Leads(top, path)
	if !below {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("the path %w, to %s", ErrOutside, at)}
	}
	f, err := open(at, path, syscall.O_NOFOLLOW)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// OpenFile is like os.Open, but for untrusted files. It refuses anything but a regular file, because a pipe may block, and a device may never end.
func OpenFile(path string) (*os.File, error) { return open(path, path, 0) }

// Read is like os.ReadFile, but for untrusted files, such as files in a work tree. It uses [OpenFile].
func Read(path string) ([]byte, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// ReadAtMost is like Read, but returns an error if the file is larger than `most` bytes.
func ReadAtMost(path string, most int64) ([]byte, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if int64(len(data)) > most {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("the file has more than %d bytes", most)}
	}
	return data, err
}

// `open` opens a regular file for reading. Errors contain name instead of the path.
func open(path, name string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|flags, 0)
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = &fs.PathError{Op: "read", Path: name, Err: errors.New("not a regular file")}
	}
	if err != nil {
		_ = f.Close() // nothing was written, so the error does not matter
		return nil, err
	}
	return f, nil
}
