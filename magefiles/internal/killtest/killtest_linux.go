// Package killtest kills a child of a test before a system call of its choice: what it leaves is what a kill at that moment leaves.
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

// Begin tells the tracer, in the child, that calls are counted from here on: those of this thread, which the goroutine keeps.
func Begin() error {
	runtime.LockOSThread()
	return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGUSR1)
}

// Before runs a child, and kills it before the nth system call behind [Begin]. killed is false when there were fewer, and the child has ended with 0. The error
// is EPERM where no child may be traced.
func Before(t *testing.T, cmd *exec.Cmd, n int) (killed bool, err error) {
	runtime.LockOSThread() // the thread that starts a tracee is its tracer
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
			continue // another thread has ended
		}
		signal := 0
		switch s := status.StopSignal(); {
		case s == syscall.SIGUSR1:
			traced = tid
		case tid == traced && s == syscall.SIGTRAP|0x80:
			if stops++; stops == 2*n-1 { // every call stops twice: before, and behind
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
			_ = syscall.PtraceSyscall(tid, signal) // a thread that is gone by now is no matter
		} else {
			_ = syscall.PtraceCont(tid, signal)
		}
	}
}
