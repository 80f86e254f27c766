package sources

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/journal"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// The first build in another clone removes the build folders of a deleted clone. Folders that are in use or that have no workspace file are kept.
func TestBuildFoldersOfDeletedClones(t *testing.T) {
	cache, root := t.TempDir(), t.TempDir()
	put := func(places, of string) {
		require.NoError(t, os.MkdirAll(filepath.Join(cache, places, "a"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(cache, places, "a", "lock"), nil, 0o644))
		if of != "" {
			require.NoError(t, os.WriteFile(filepath.Join(cache, places, ofFile), []byte(of), 0o600))
		}
	}
	gone := filepath.Join(root, "gone")
	put("gone-1", gone)
	put("used-1", gone)
	put("there-1", root)
	put("old-1", "")
	unlock, _, err := journal.Lock(filepath.Join(cache, "used-1", "a", "lock"))
	require.NoError(t, err)
	defer unlock()
	b := &build{Sources: &Sources{Workspace: &workspace.Workspace{Root: root}}, place: filepath.Join(cache, "w-1", "a")}
	require.NoError(t, os.MkdirAll(b.place, 0o755))
	b.noteWorkspace()
	require.NoDirExists(t, filepath.Join(cache, "gone-1"))
	for _, stays := range []string{"used-1", "there-1", "old-1", "w-1"} {
		require.DirExists(t, filepath.Join(cache, stays))
	}
	put("gone-2", gone)
	b.noteWorkspace()
	require.DirExists(t, filepath.Join(cache, "gone-2"), "it looks once for each workspace")
}
