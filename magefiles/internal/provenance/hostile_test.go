package provenance_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/provenance"
)

// TestHostileMadeFile has a pipe in the place of the list, for which nobody waits.
func TestHostileMadeFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, provenance.MadeFile), 0o644))
	_, err := provenance.Made(dir)
	require.ErrorContains(t, err, "it is not a file")
	require.Error(t, provenance.NoteMade(dir, map[string]string{"a": "1"}))
}
