package bump_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/bump"
	"github.com/foopack/foopack/magefiles/internal/killtest"
)

// childVariable makes the test binary run as a child that applies root/.git/plan.json.
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

// applyAsChild signals to the tracer that Apply begins.
func applyAsChild(root string) error {
	p, err := bump.ReadPlan(filepath.Join(root, ".git", "plan.json"))
	if err != nil {
		return err
	}
	if os.Getenv(childVariable+"_TRACED") != "" {
		if err := killtest.Begin(); err != nil {
			return err
		}
	}
	_, err = store(root).Apply(context.Background(), p)
	return err
}

// killable makes a tree of three packages with a plan beside it. The plan makes files grow, shrink and appear.
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

// Apply is killed by SIGKILL before each system call. Afterwards either all files are old or all are new, or there is a journal, from which the next
// run restores the old files. No other files are left.
func TestKilledBetweenSystemCalls(t *testing.T) {
	seen := map[string]int{}
	for n := 1; ; n++ {
		root, before, after := killable(t)
		killed, err := killBefore(t, root, n)
		if errors.Is(err, syscall.EPERM) {
			require.Empty(t, os.Getenv("CI"), "CI lets a process trace its children: %v", err)
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
	t.Logf("killed before each of %d system calls: the tree was as before %d times, as after %d times, and had to be restored %d times",
		seen["before"]+seen["after"]+seen["journal"]-1, seen["before"], seen["after"]-1, seen["journal"])
	require.Greater(t, seen["journal"], 10)
	require.Greater(t, seen["before"], 10)
}

// state returns the state of the tree after Apply was killed.
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

// recovered does what the next run does. If the plan was reverted, it applies the plan again.
func recovered(t *testing.T, root string, before, after map[string]string) {
	was := state(t, root, before, after)
	said, err := store(root).Recover()
	require.NoError(t, err)
	if was == "journal" {
		require.Contains(t, said, "a run was killed while it changed 5 files: all of its changes are reverted")
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

// killBefore runs Apply in a child and kills it before its nth system call. killed is false if there were fewer calls.
func killBefore(t *testing.T, root string, n int) (killed bool, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+root, childVariable+"_TRACED=1")
	return killtest.Before(t, cmd, n)
}
