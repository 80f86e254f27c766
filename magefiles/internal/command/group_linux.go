package command

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the child the leader of a process group, to be ended as one, and lets the kernel kill it when we die.
func ownGroup(x *exec.Cmd) {
	x.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	x.Cancel = func() error { return syscall.Kill(-x.Process.Pid, syscall.SIGTERM) }
}
