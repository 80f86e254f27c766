// Package killtest kills a test's child process just before a chosen system call, so that the test can check the files that are left behind.
package killtest

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Begin makes the tracer count system calls from now on. It must be called by the child process. It locks the calling goroutine to its thread, and
// only system calls of this thread are counted.
func Begin() error {
	runtime.LockOSThread()
	return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGUSR1)
}

// Before runs a child process, and kills it before its nth system call after [Begin]. `killed` is false if there were fewer system calls and the
// child exited with status 0. The error is EPERM if tracing is not permitted.
func Before(t *testing.T, cmd *exec.Cmd, n int) (killed bool, err error) {
	runtime.LockOSThread() // only the thread that starts a tracee can trace it
	defer runtime.UnlockOSThread()
	cmd.Env = append(cmd.Env, "GODEBUG=asyncpreemptoff=1")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := cmd.Start(); err != nil {
		return false, err
	}
	pid := cmd.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, syscall.WALL, nil); err != nil {
		return false, err
	}
	const options = syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACESYSGOOD | 0x100000 /* EXITKILL */
	if err := syscall.PtraceSetOptions(pid, options); err != nil {
		return false, err
	}
	if err := syscall.PtraceCont(pid, 0); err != nil {
		return false, err
	}
	traced, stops := 0, 0
	for {
		tid, err := syscall.Wait4(-1, &status, syscall.WALL, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return killed, err
		case tid == pid && (status.Exited() || status.Signaled()):
			require.True(t, killed || status.ExitStatus() == 0)
			return killed, nil
		case !status.Stopped():
			continue // another thread exited
		}
		signal := 0
		switch s := status.StopSignal(); {
		case s == syscall.SIGUSR1:
			traced = tid
		case tid == traced && s == syscall.SIGTRAP|0x80:
			if stops++; stops == 2*n-1 { // each system call stops twice: on entry and on exit
				killed = true
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					return killed, err
				}
				continue
			}
		case s != syscall.SIGTRAP && s != syscall.SIGSTOP:
			signal = int(s)
		}
		if tid == traced {
			_ = syscall.PtraceSyscall(tid, signal) // fails if the thread has exited in the meantime
		} else {
			_ = syscall.PtraceCont(tid, signal)
		}
	}
}
