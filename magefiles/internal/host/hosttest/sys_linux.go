package hosttest

import "syscall"

// `ownNamespaces` gives a child its own mount and process namespaces. The child is killed when this process exits.
func ownNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
}
