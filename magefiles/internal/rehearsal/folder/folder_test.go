package folder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/stretchr/testify/require"
)

// A second rehearsal in the same folder is refused with the exit status for a decision by the user. It may run once the first one has ended.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(dir)
	require.NoError(t, err)
	_, err = Lock(dir)
	require.ErrorContains(t, err, "another rehearsal is under way")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	unlock()
	unlock, err = Lock(dir)
	require.NoError(t, err)
	unlock()

	// Files that a killed clean leaves from an earlier rehearsal are recognized as ours.
	require.NoError(t, os.Remove(filepath.Join(dir, lockFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, view.ReportPage), nil, 0o644))
	unlock, err = Lock(dir)
	require.NoError(t, err)
	unlock()
	require.NoError(t, os.Remove(filepath.Join(dir, lockFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.html"), nil, 0o644))
	_, err = Lock(dir)
	require.ErrorContains(t, err, "thesis.html is in "+dir+", but is not a file of a rehearsal")
}
