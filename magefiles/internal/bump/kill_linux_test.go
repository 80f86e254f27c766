package bump_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/foopack/foopack/magefiles/internal/bump"
)

// childVariable makes the test program a child that carries out root/.git/plan.json.
const childVariable = "BUMP_TEST_APPLY"

func TestMain(m *testing.M) {
	if root := os.Getenv(childVariable); root != "" {
		if err := applyAsChild(root); err != nil {
			fmt.Fprintf(os.Stderr, "%+v\n", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// applyAsChild tells the tracer with a signal to its own thread that Apply begins.
func applyAsChild(root string) error {
	runtime.LockOSThread()
	p, err := bump.ReadPlan(filepath.Join(root, ".git", "plan.json"))
	if err != nil {
		return err
	}
	if os.Getenv(childVariable+"_TRACED") != "" {
		if err := unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGUSR1); err != nil {
			return err
		}
	}
	_, err = store(root).Apply(context.Background(), p)
	return err
}

// killable is a tree of three packages with a plan beside it: files that grow, shrink and are made.
func killable(t *testing.T) (root string, before, after map[string]string) {
	root = tree(t, two+pkg("c", "0.1.6", runs+"a = \"==0.1.6\"\nb = \"==0.1.6\"\n"))
	p := plan(t, root, bump.Request{To: "0.10.0", Changelog: true, Date: "2026-11-23"}, history{})
	data, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(root, ".git"), 0o755))
	write(t, root, ".git/plan.json", string(data))
	before = files(t, root)
	other := tree(t, two+pkg("c", "0.1.6", runs+"a = \"==0.1.6\"\nb = \"==0.1.6\"\n"))
	apply(t, other, p)
	return root, before, files(t, other)
}

// SIGKILL before every single system call of Apply: the tree is then wholly before or wholly after, or the next run finds
// a journal, says so, and it is wholly before. Nothing else is ever left in it.
func TestKilledBetweenSystemCalls(t *testing.T) {
	seen := map[string]int{}
	for n := 1; ; n++ {
		root, before, after := killable(t)
		killed, err := killBefore(t, root, n)
		if errors.Is(err, syscall.EPERM) {
			t.Skip("no child may be traced here; TestKilledAtRandom kills all the same")
		}
		require.NoError(t, err)
		require.Contains(t, []string{"before", "after", "journal"}, state(t, root, before, after), "killed before system call %d", n)
		seen[state(t, root, before, after)]++
		recovered(t, root, before, after)
		if !killed {
			require.Equal(t, after, files(t, root))
			break
		}
	}
	t.Logf("killed before each of %d system calls: the tree was as before %d times, as after %d times, and had to be taken back %d times",
		seen["before"]+seen["after"]+seen["journal"]-1, seen["before"], seen["after"]-1, seen["journal"])
	require.Greater(t, seen["journal"], 10)
	require.Greater(t, seen["before"], 10)
}

// state says what a killed Apply has left.
func state(t *testing.T, root string, before, after map[string]string) string {
	if _, err := os.Stat(filepath.Join(root, ".git", "state", "bump.journal")); err == nil {
		return "journal"
	}
	switch got := files(t, root); {
	case fmt.Sprint(got) == fmt.Sprint(before):
		return "before"
	case fmt.Sprint(got) == fmt.Sprint(after):
		return "after"
	}
	return "neither"
}

// recovered does what the next run does, and carries the plan out again if it was taken back.
func recovered(t *testing.T, root string, before, after map[string]string) {
	was := state(t, root, before, after)
	said, err := store(root).Recover()
	require.NoError(t, err)
	if was == "journal" {
		require.Contains(t, said, "a run was killed while it changed 5 files: taken back")
		require.Equal(t, before, files(t, root))
	} else {
		require.Empty(t, said)
	}
	if was != "after" {
		p, err := bump.ReadPlan(filepath.Join(root, ".git", "plan.json"))
		require.NoError(t, err)
		_, err = store(root).Apply(t.Context(), p)
		require.NoError(t, err)
		require.Equal(t, after, files(t, root))
	}
}

// killBefore runs Apply in a child and kills it before its nth system call. killed is false when there were fewer.
func killBefore(t *testing.T, root string, n int) (killed bool, err error) {
	runtime.LockOSThread() // the thread that starts a tracee is its tracer
	defer runtime.UnlockOSThread()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+root, childVariable+"_TRACED=1", "GODEBUG=asyncpreemptoff=1")
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
