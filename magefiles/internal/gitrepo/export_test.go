package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExport(t *testing.T) {
	repo, dir, git := open(t)
	write(t, dir, ".gitignore", "*.log\n")
	write(t, dir, "app folder/a.txt", "a\n")
	write(t, dir, "app folder/sub/ü.txt", "u\n")
	write(t, dir, "app", "a file whose name begins alike\n")
	git("add", "-A")
	git("commit", "-q", "-m", "feat: files")
	commit := git("rev-parse", "HEAD")
	write(t, dir, "app folder/a.txt", "changed\n")
	write(t, dir, "app folder/x.log", "ignored\n")
	write(t, dir, "app folder/new.txt", "unknown\n")
	before := git("status", "--porcelain", "--ignored")

	out := filepath.Join(t.TempDir(), "out put")
	require.NoError(t, repo.Export(t.Context(), commit, "app folder", out))
	require.Equal(t, map[string]string{"app folder/a.txt": "a\n", "app folder/sub/ü.txt": "u\n"}, files(t, out))
	require.Equal(t, before, git("status", "--porcelain", "--ignored"), "the repository stays as it is")

	all := filepath.Join(t.TempDir(), "all")
	require.NoError(t, repo.Export(t.Context(), commit, ".", all))
	require.Contains(t, files(t, all), "app")
	require.Error(t, repo.Export(t.Context(), "1111111111111111111111111111111111111111", ".", t.TempDir()))
}

// files are the contents of all files below a folder, by path.
func files(t *testing.T, dir string) map[string]string {
	found := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, relErr := filepath.Rel(dir, path)
		require.NoError(t, relErr)
		found[filepath.ToSlash(rel)] = string(text)
		return err
	}))
	return found
}
