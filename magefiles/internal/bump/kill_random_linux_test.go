package bump_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Apply is killed by SIGKILL at random times.
func TestKilledAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		root, before, after := killable(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childVariable+"="+root)
		start := time.Now()
		require.NoError(t, cmd.Start())
		time.Sleep(time.Duration(random.IntN(12000)) * time.Microsecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		require.NotEqual(t, "neither", state(t, root, before, after), "after %v", time.Since(start))
		recovered(t, root, before, after)
	}
}
