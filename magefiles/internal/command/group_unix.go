//go:build unix && !linux

package command

import (
	"os/exec"
	"syscall"
)

// leadGroup makes the child the leader of a new process group, so that the group can be signaled.
func leadGroup(x *exec.Cmd, _ bool) {
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	x.Cancel = func() error { return syscall.Kill(-x.Process.Pid, syscall.SIGTERM) }
}

// undumpable is a no-op, because there is no /proc.
func undumpable() error { return nil }

// isStopped always returns false, because a check would consume the child's status, which the caller of Wait needs.
func isStopped(int) bool { return false }

// EndMarked is a no-op, because this system does not expose the environment of processes.
func EndMarked(...string) []string { return nil }
