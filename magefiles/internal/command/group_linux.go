package command

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownGroup makes the child the leader of a process group, to be ended as one, and lets the kernel end it when we die:
// outright, or by SIGTERM for one that leaves something to be tidied up.
func ownGroup(x *exec.Cmd, gentle bool) {
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if gentle {
		x.SysProcAttr.Pdeathsig = syscall.SIGTERM
	}
	x.Cancel = func() error { return syscall.Kill(-x.Process.Pid, syscall.SIGTERM) }
}

// undumpable keeps other processes of the same user from reading our memory and our environment.
func undumpable() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }

// isStopped reports whether a child of ours is stopped, and leaves all that there is to know about it to who waits for it.
func isStopped(pid int) bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
	return err == nil && info.Signo == int32(unix.SIGCHLD)
}
