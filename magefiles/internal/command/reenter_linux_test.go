package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// reentered holds the state that a program sees after Reenter.
type reentered struct {
	Handed   []string
	Err      string
	Environ  string // the environment, which other processes could read
	Agent    string
	Dumpable int
}

// A program that was started with credentials executes itself again without them in its environment. It still gets them, and no other process of the
// user can read them.
func TestHostileReadersOfProc(t *testing.T) {
	const again = "THIS_TEST_BEGINS_AGAIN"
	if os.Getenv(again) != "" {
		var now reentered
		var err error
		if now.Handed, err = command.Reenter(os.Environ()); err != nil {
			now.Err = err.Error()
		}
		environ, _ := os.ReadFile("/proc/self/environ")
		now.Environ, now.Agent = string(environ), os.Getenv("SSH_AUTH_SOCK")
		now.Dumpable, _ = unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		line, _ := json.Marshal(now)
		fmt.Printf("\nfound %s\n", line)
		return
	}
	begin := func(environ ...string) (now reentered) {
		x := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		x.Env = append(environ, again+"=yes", "PATH="+os.Getenv("PATH"))
		out, err := x.CombinedOutput()
		require.NoError(t, err, string(out))
		_, line, ok := strings.Cut(string(out), "\nfound ")
		require.True(t, ok, string(out))
		line, _, _ = strings.Cut(line, "\n")
		require.NoError(t, json.Unmarshal([]byte(line), &now))
		return now
	}
	now := begin("NPM_TOKEN=canary-of-npm", "DATABASE_URL=postgres://me:canary-of-a-database@db/x", "SSH_AUTH_SOCK=/agent", "KUBECONFIG=/kube")
	require.Empty(t, now.Err)
	require.ElementsMatch(t, []string{"NPM_TOKEN=canary-of-npm", "DATABASE_URL=postgres://me:canary-of-a-database@db/x"}, now.Handed, "what only leads to a credential stays where it is")
	require.Equal(t, "/agent", now.Agent)
	require.NotContains(t, now.Environ, "canary")
	require.Zero(t, now.Dumpable)

	now = begin("SSH_AUTH_SOCK=/agent")
	require.Equal(t, reentered{Environ: now.Environ, Agent: "/agent", Dumpable: 1}, now, "without a credential nothing is done")
	require.Contains(t, now.Environ, "/agent")

	for _, number := range []string{"0", "1", "2", "-1", "x", "", "70000", "999"} { // the last one is not open
		_, err := command.Reenter([]string{command.HandedOver + "=" + number})
		require.Error(t, err, number)
	}
	_, err := command.Reenter([]string{"A_TOKEN=" + strings.Repeat("x", 200<<10)})
	require.ErrorContains(t, err, "a pipe holds only", "nobody waits for a pipe that nobody reads")
}

// Credentials of ancestors are reported by name, never by value. Variables that only hold a credential's path are not reported.
func TestReadableAbove(t *testing.T) {
	const below = "THIS_TEST_IS_BELOW"
	if os.Getenv(below) != "" {
		fmt.Printf("\nreadable %q\n", command.Readable("", nil))
		return
	}
	shell := exec.Command("/bin/sh", "-c", `env -u NPM_TOKEN "$0" "-test.run=^$1$"; exit $?`, os.Args[0], t.Name())
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), below + "=yes", "NPM_TOKEN=canary"}
	out, err := shell.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Regexp(t, `\nreadable \["NPM_TOKEN in the environment of sh, which started this process"`, string(out))
	require.NotContains(t, string(out), "canary")

	x := exec.Command("sleep", "60")
	x.Env = []string{"NPM_TOKEN=canary", "PYPI_PASSWORD=canary", "SSH_AUTH_SOCK=/agent", "HOME=/h"}
	require.NoError(t, x.Start())
	defer func() {
		require.NoError(t, x.Process.Kill())
		_ = x.Wait()
	}()
	require.Eventually(t, func() bool { return len(command.Above(x.Process.Pid)) > 0 }, 20e9, 10e6)
	require.Equal(t, "NPM_TOKEN, PYPI_PASSWORD in the environment of sleep, which started this process", command.Above(x.Process.Pid)[0])

	// If several wrappers have the same credential, it is reported once.
	shell = exec.Command("/bin/sh", "-c", `/bin/sh -c 'env -u NPM_TOKEN "$0" "-test.run=^$1$"; exit $?' "$0" "$1"; exit $?`, os.Args[0], t.Name())
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), below + "=yes", "NPM_TOKEN=canary"}
	out, err = shell.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, 1, strings.Count(string(out), "NPM_TOKEN"), string(out))
}
