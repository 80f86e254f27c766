package command

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// leadGroup makes the child the leader of a new process group, so that the group can be signaled. When we die, the kernel sends the child SIGKILL, or
// SIGTERM if the child must clean up.
func leadGroup(x *exec.Cmd, gentle bool) {
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if gentle {
		x.SysProcAttr.Pdeathsig = syscall.SIGTERM
	}
	x.Cancel = func() error { return syscall.Kill(-x.Process.Pid, syscall.SIGTERM) }
}

// undumpable prevents other processes of the same user from reading our memory and environment.
func undumpable() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

// isStopped reports whether a child is stopped. It does not consume the child's status, which the caller of Wait needs.
func isStopped(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == int32(unix.SIGCHLD)
}
