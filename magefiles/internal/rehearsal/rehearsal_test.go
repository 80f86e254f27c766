package rehearsal

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

func TestLastLine(t *testing.T) {
	var l lastLine
	require.Equal(t, "no output", l.last())
	fmt.Fprint(&l, "first\n===== 99 passed in 1.0s =====\n\n")
	require.Equal(t, "99 passed in 1.0s", l.last())
	for i := range 5000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	require.Equal(t, "line 4999", l.last())
	require.NotContains(t, l.tail(), "line 4000")
}

// A second rehearsal in the same folder is told so, with the exit status for a person to decide, and may go on once the
// first has ended.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(dir)
	require.NoError(t, err)
	_, err = lock(dir)
	require.ErrorContains(t, err, "another rehearsal is under way")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	unlock()
	unlock, err = lock(dir)
	require.NoError(t, err)
	unlock()
}
