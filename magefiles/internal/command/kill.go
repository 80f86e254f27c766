package command

import (
	"os/exec"
	"syscall"
)

// killGroup ends what the child has left behind: after Run returns no process of its group is alive.
func killGroup(x *exec.Cmd) {
	if x.Process != nil {
		_ = syscall.Kill(-x.Process.Pid, syscall.SIGKILL)
	}
}
