package workspace

import (
	"errors"
	"io/fs"
	"sync"
	"syscall"
)

// readFile is like os.ReadFile but reads only regular files, and needs four system calls instead of the ten that os.File makes to set
// up polling. A workspace has thousands of small files, and every target reads them. Other files are refused, because reading a pipe
// could block and reading a device might never end.
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
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
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
			return append(make([]byte, 0, len(data)), data...), nil // a short read means end of file
		}
		data = append(data, 0)[:len(data)] // grow
	}
}

// buffers holds the buffers for files whose size is not yet known.
var buffers = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
