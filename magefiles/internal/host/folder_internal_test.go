package host

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Many connections are made at once, and each sweeps: the folder of none of them is taken for one of a run that was killed.
func TestFoldersAreMadeBesideEachOther(t *testing.T) {
	short, err := os.MkdirTemp("", "f") // a test's own is too long for a socket
	require.NoError(t, err)
	defer os.RemoveAll(short)
	t.Setenv("TMPDIR", short)
	var connections sync.WaitGroup
	for range 8 {
		connections.Go(func() {
			for range 200 {
				dir, err := newFolder()
				if !assert.NoError(t, err) || !assert.NoError(t, os.WriteFile(filepath.Join(dir.path, "theirs"), nil, 0o600)) {
					return
				}
				_ = dir.remove() // who looks whether it is in use makes its lock again, and removes the rest
			}
		})
	}
	connections.Wait()
	sweep(short)
	left, err := os.ReadDir(short)
	require.NoError(t, err)
	require.Empty(t, left)
}
