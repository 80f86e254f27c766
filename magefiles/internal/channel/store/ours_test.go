package store_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// plant creates files, and creates folders for paths that end in a slash.
func plant(t *testing.T, dir string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		full := filepath.Join(dir, filepath.FromSlash(p))
		if strings.HasSuffix(p, "/") {
			require.NoError(t, os.MkdirAll(full, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte("precious "+p), 0o644))
	}
}

// tree returns the contents of all files below a folder, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = ""
			return err
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	}))
	return all
}

// Open rejects a folder that is neither empty nor a folder of channels, and does not change it.
func TestHostileFolders(t *testing.T) {
	for name, paths := range map[string][]string{
		"a person's files":                                     {"notes.txt"},
		"a person's folders":                                   {"photos/2024/a.jpg", "music/"},
		"a repository":                                         {".git/config"},
		"a folder that a store would empty":                    {".incoming/thesis.tex"},
		"a folder within a folder that a store would empty":    {".incoming/upload-1.partial/thesis.tex"},
		"a channel and another folder":                         {"mine/noarch/", "letters/today.txt"},
		"a channel with another file":                          {"mine/noarch/", "mine/src/main.go"},
		"a channel with a hidden folder":                       {"mine/noarch/", "mine/.git/config"},
		"a home folder that was served by mistake":             {".lock", ".incoming/", "letters/today.txt"},
		"a home folder in which a channel was made by mistake": {".lock", ".incoming/", "mine/noarch/", "notes.txt", "letters/today.txt"},
		"a name that no channel can have":                      {"My Documents/"},
		"a file with a disk's name":                            {"lost+found"},
		"a disk with a person's files":                         {"lost+found/", "music/a.ogg"},
		"a thesis in a folder of channels":                     {".lock", ".incoming/thesis.tex", "mine/noarch/", ".snapshot/"},
		"a channel itself":                                     {"noarch/a-1-0.conda", "linux-64/"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			plant(t, dir, paths...)
			before := tree(t, dir)
			_, err := store.Open(dir)
			require.Error(t, err)
			require.NotEmpty(t, operr.NextOf(err))
			require.NotContains(t, err.Error(), "\n")
			require.Equal(t, before, tree(t, dir))
		})
	}
}

// Open accepts a folder that is empty, missing, or a folder of channels. Open accepts the folder again after the store was closed.
func TestFoldersOfChannels(t *testing.T) {
	for name, paths := range map[string][]string{
		"nothing":                   {"/"},
		"not there":                 nil,
		"an empty channel":          {"mine/"},
		"channels":                  {"mine/noarch/", "theirs/linux-64/", "theirs/channeldata.json"},
		"a killed upload":           {".incoming/upload-17.partial", ".incoming/put-1.partial", ".incoming/upload-17.partial.owned", ".lock", "mine/noarch/"},
		"an upload with a note":     {".lock", ".incoming/", "mine/noarch/", "README.txt"},
		"a folder that git ignores": {".gitignore"},
		"a new disk":                {"lost+found/"},
		"a disk":                    {"lost+found/#12", ".lock", ".incoming/", "mine/noarch/"},
		"a disk of a NAS":           {"@eaDir/x", "#recycle/y", ".lock", ".incoming/", "mine/noarch/"},
		"backups":                   {".snapshot/daily/z", ".Trash-1000/files/a", ".lock", ".incoming/", "mine/noarch/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "channels")
			if paths != nil {
				require.NoError(t, os.MkdirAll(dir, 0o755))
				plant(t, dir, paths...)
			}
			for range 2 {
				s, err := store.Open(dir)
				require.NoError(t, err)
				_, err = s.Create(t.Context(), "mine")
				require.NoError(t, err)
				require.NoError(t, s.Close())
			}
		})
	}
}
