package folder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
	"github.com/stretchr/testify/require"
)

// A second rehearsal in the same folder is told so, with the exit status for a person to decide, and may go on once the
// first has ended.
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

	// What a killed clean leaves of an earlier rehearsal is ours.
	require.NoError(t, os.Remove(filepath.Join(dir, lockFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, view.ReportPage), nil, 0o644))
	unlock, err = Lock(dir)
	require.NoError(t, err)
	unlock()
	require.NoError(t, os.Remove(filepath.Join(dir, lockFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.html"), nil, 0o644))
	_, err = Lock(dir)
	require.ErrorContains(t, err, "thesis.html is in "+dir+", and no rehearsal has put it there")
}
