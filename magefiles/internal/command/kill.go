package command

import (
	"os/exec"
	"syscall"
)

// killGroup kills the processes that the child left running. When Run returns, no process of the child's group is alive.
func killGroup(x *exec.Cmd) {
	if x.Process != nil {
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
	}
}
