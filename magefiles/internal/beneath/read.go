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
	f, err := os.OpenFile(at, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not a file")}
	}
	return io.ReadAll(f)
}
