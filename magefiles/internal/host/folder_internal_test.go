package host

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Many connections are made at once, and each sweeps: the folder of none of them is taken for one of a run that was killed.
func TestFoldersAreMadeBesideEachOther(t *testing.T) {
	t.Setenv("TMPDIR", "/tmp/"+filepath.Base(t.TempDir()))
	assert.NoError(t, os.Mkdir(os.TempDir(), 0o700))
	defer os.RemoveAll(os.TempDir())
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
	sweep(os.TempDir())
	left, err := os.ReadDir(os.TempDir())
	assert.NoError(t, err)
	assert.Empty(t, left)
}
