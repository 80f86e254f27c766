package workspace

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
)

// readFile is os.ReadFile for regular files, in three system calls: os.File makes ten, to find out whether a file can be
// waited for as a pipe can. A workspace has thousands of small ones, and they are read for every target.
func readFile(path string) ([]byte, error) {
	fd, err := retry(func() (int, error) { return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(fd)
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	data := (*buffer)[:0]
	for {
		n, err := retry(func() (int, error) { return syscall.Read(fd, data[len(data):cap(data)]) })
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		data = data[:len(data)+n]
		if len(data) < cap(data) {
			return append(make([]byte, 0, len(data)), data...), nil // of a regular file less than was asked for is the end
		}
		data = append(data, 0)[:len(data)] // grow
	}
}

// buffers are what files are read into before their size is known.
var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
