package dockerdtest

import "syscall"

// endedBy lets the kernel send a child that signal when this process ends.
func endedBy(signal syscall.Signal) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: signal}
}

// detach unmounts what an engine has left.
func detach(path string) { _ = syscall.Unmount(path, syscall.MNT_DETACH) }
