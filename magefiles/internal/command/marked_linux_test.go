package command_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// A process that has left the child's group and session is found by its environment, and so is a process that it starts meanwhile. A process is not
// killed if its mark only has this one as a prefix.
func TestEndMarked(t *testing.T) {
	dir := t.TempDir()
	begin := func(name, mark, script string) {
		c := sh("(setsid sh -c \"$1\" >/dev/null 2>&1 &); while ! [ -s \"$2\" ]; do sleep 0.01; done", "echo $$ >"+name+"; "+script, filepath.Join(dir, name))
		c.Dir, c.Env = dir, append(os.Environ(), mark)
		require.NoError(t, system().Run(t.Context(), c))
	}
	pid := func(name string) int {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		n, err := strconv.Atoi(strings.TrimSpace(string(text)))
		require.NoError(t, err)
		return n
	}
	begin("one", "THE_MARK=of-a-test", "while :; do setsid sleep 60 & sleep 0.001; done")
	begin("other", "THE_MARK=of-a-test-2", "exec sleep 60")
	ended := command.EndMarked("THE_MARK=of-a-test")
	require.Contains(t, ended, "sh")
	require.Contains(t, ended, "sleep")
	require.Empty(t, command.EndMarked("THE_MARK=of-a-test"))
	require.NoError(t, syscall.Kill(pid("other"), 0))
	require.Equal(t, []string{"sleep"}, command.EndMarked("THE_MARK=of-a-test-2"))
	require.Eventually(t, func() bool {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(pid("one")) + "/environ")
		return err != nil || len(text) == 0
	}, 5*time.Second, 10*time.Millisecond)
}
