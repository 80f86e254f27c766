package imagebench

import "syscall"

// killWithParent makes the kernel send the signal to a child when this process exits.
func killWithParent(signal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal}
}

// detach lazily unmounts a path that an engine left mounted.
func detach(path string) { _ = syscall.Unmount(path, syscall.MNT_DETACH) }

// mountBinfmt mounts the binfmt_misc file system.
func mountBinfmt(path string) error { return syscall.Mount("binfmt_misc", path, "binfmt_misc", 0, "") }
