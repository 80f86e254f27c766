package hosttest

import "syscall"

// apart gives a child mounts and processes of its own. They end with it, and it ends with this process.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
}
