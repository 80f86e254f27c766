package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
)

// TestHostileLinksInChannels opens folders of channels in which the store's own files or folders are symbolic links to a place outside. The
// link's target is neither emptied nor written to. The folder of channels may itself be a link.
func TestHostileLinksInChannels(t *testing.T) {
	for name, refused := range map[string]bool{
		".incoming": true, ".lock": true, "c/noarch": true, "c/linux-64": true, "c/noarch/repodata.json": true, "c/noarch/repodata.json.zst": true,
		"c/noarch/repodata_shards.msgpack.zst": true, "c/noarch/shards": true, "c/noarch/.records.log": true,
		"c": false, "x": false, "c/elsewhere": false, // not used by the store, so it does not matter that they are links
	} {
		for _, leads := range []string{"folder", "none"} {
			t.Run(name+" "+leads, func(t *testing.T) {
				top := t.TempDir()
				dir, outside := filepath.Join(top, "channels"), filepath.Join(top, "outside")
				require.NoError(t, os.MkdirAll(filepath.Join(outside, "folder"), 0o755))
				kept := filepath.Join(outside, "folder", "kept")
				require.NoError(t, os.WriteFile(kept, []byte("kept"), 0o644))
				link := filepath.Join(dir, name)
				require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
				require.NoError(t, os.Symlink(filepath.Join(outside, leads), link))
				s, err := store.Open(dir)
				if refused {
					require.ErrorContains(t, err, "leads out of the folder")
				} else {
					require.NoError(t, err)
					require.NoError(t, s.Close())
				}
				data, err := os.ReadFile(kept)
				require.NoError(t, err)
				require.Equal(t, "kept", string(data))
				left, err := os.ReadDir(filepath.Join(outside, "folder"))
				require.NoError(t, err)
				require.Len(t, left, 1)
				require.NoFileExists(t, filepath.Join(outside, "none"))
			})
		}
	}
	real, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(real, link))
	s, err := store.Open(link)
	require.NoError(t, err)
	_, err = s.Create(t.Context(), "c")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.DirExists(t, filepath.Join(real, "c", "noarch"))
}
