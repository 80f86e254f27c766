//go:build unix && !linux

package command

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the child the leader of a process group, to be ended as one.
func ownGroup(x *exec.Cmd, _ bool) {
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	x.Cancel = func() error { return syscall.Kill(-x.Process.Pid, syscall.SIGTERM) }
}

// undumpable does nothing: there is no /proc to read.
func undumpable() error { return nil }

// isStopped says nothing: what asks for it takes it from who waits for the child.
func isStopped(int) bool { return false }

// EndMarked ends nothing: what a process was started with is not told here.
func EndMarked(...string) []string { return nil }
