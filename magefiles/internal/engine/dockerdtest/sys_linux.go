package dockerdtest

import (
	"fmt"
	"syscall"
)

// endedBy lets the kernel send a child that signal when this process ends.
func endedBy(signal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal}
}

// detach unmounts what an engine has left.
func detach(path string) { _ = syscall.Unmount(path, syscall.MNT_DETACH) }

// mount mounts memory as a disk of its own.
func mount(path string, megabytes int) error {
	return syscall.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=711", megabytes))
}

// free is how many bytes a disk has left.
func free(path string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0
	}
	return int64(s.Bavail) * s.Bsize
}
