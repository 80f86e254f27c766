package rehearsal

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

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
