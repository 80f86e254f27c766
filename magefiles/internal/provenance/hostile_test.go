package provenance_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/provenance"
)

// If the list is a named pipe, nothing blocks on it.
func TestHostileMadeFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, provenance.MadeFile), 0o644))
	_, err := provenance.Made(dir)
	require.ErrorContains(t, err, "not a regular file")
	require.Error(t, provenance.NoteMade(dir, map[string]string{"a": "1"}))
}
