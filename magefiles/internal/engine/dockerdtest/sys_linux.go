package dockerdtest

import (
	"fmt"
	"syscall"
	"unsafe"
)

// killWithParent makes the kernel send the signal to a child when this process exits.
func killWithParent(signal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal}
}

// detach lazily unmounts a path that an engine left mounted.
func detach(path string) { _ = syscall.Unmount(path, syscall.MNT_DETACH) }

// mount mounts a tmpfs as a separate disk.
func mount(path string, megabytes int) error {
	return syscall.Mount("tmpfs", path, "tmpfs", 0, fmt.Sprintf("size=%dm,mode=711", megabytes))
}

// free returns the free bytes on a disk.
func free(path string) int64 {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return 0
	}
	return int64(s.Bavail) * s.Bsize
}

// unbridge removes a network's bridge device if it exists.
func unbridge(name string) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(socket)
	const removeBridge = 0x89a1 // SIOCBRDELBR
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags [24]byte // zero means down, which is required for removing the device
	}
	copy(request.name[:], name)
	for _, do := range []uintptr{syscall.SIOCSIFFLAGS, removeBridge} {
		_, _, _ = syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), do, uintptr(unsafe.Pointer(&request)))
	}
}
