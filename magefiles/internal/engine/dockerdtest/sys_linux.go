package dockerdtest

import (
	"fmt"
	"syscall"
	"unsafe"
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

// unbridge removes a network's device, if it is there.
func unbridge(name string) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(socket)
	const removeBridge = 0x89a1 // SIOCBRDELBR
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags [24]byte // none: it is down, as it has to be
	}
	copy(request.name[:], name)
	for _, do := range []uintptr{syscall.SIOCSIFFLAGS, removeBridge} {
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), do, uintptr(unsafe.Pointer(&request)))
	}
}
