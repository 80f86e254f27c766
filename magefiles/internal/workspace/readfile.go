package workspace

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
)

// readFile is os.ReadFile for regular files, in four system calls: os.File makes ten, to find out whether a file can be
// waited for as a pipe can. A workspace has thousands of small ones, and they are read for every target. What is not a regular file
// is refused: a pipe would be waited for, and a device would not end.
func readFile(path string) ([]byte, error) {
	fd, err := retry(func() (int, error) {
		return syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
	case syscall.S_IFDIR:
		return nil, &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	default:
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is not a file")}
	}
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
