package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// A commit is made of files that lie elsewhere, and nothing of what is checked out here changes.
func TestCommitFrom(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "run"), []byte("#!/bin/sh\n"), 0o755))
	git("add", "run")
	git("commit", "-q", "-m", "a program")
	git("config", "core.autocrlf", "true")
	base := git("rev-parse", "HEAD")
	gitrepotest.Write(t, dir, "sub/file", "an edit of a person\n")
	elsewhere := t.TempDir()
	gitrepotest.Write(t, elsewhere, "run", "#!/bin/sh\r\necho\r\n")
	gitrepotest.Write(t, elsewhere, "new/one", "new\n")

	made, err := repo.CommitFrom(t.Context(), base, elsewhere, []string{"run", "new/one"}, func(tree string) string { return "a subject\n\n" + tree + "\n" })
	require.NoError(t, err)
	require.Equal(t, base, git("rev-parse", made+"^"))
	require.Equal(t, "a subject\n\n"+git("rev-parse", made+"^{tree}"), git("log", "-1", "--format=%B", made))
	require.Equal(t, "A\tnew/one\nM\trun", git("diff-tree", "-r", "--name-status", base, made))
	require.Contains(t, git("ls-tree", made, "run"), "100755 ", "a file keeps its mode")
	require.Equal(t, "#!/bin/sh\r\necho\r", git("cat-file", "blob", made+":run"), "bytes are as they lie there")
	require.Equal(t, base, git("rev-parse", "HEAD"))
	require.Equal(t, " M sub/file", git("status", "--porcelain", "--untracked-files=no"), "what was not staged is as it was")

	again, err := repo.FirstParents(t.Context(), base, made)
	require.NoError(t, err)
	require.Equal(t, []string{made}, again)
	common, err := repo.MergeBase(t.Context(), base, made)
	require.NoError(t, err)
	require.Equal(t, base, common)
	patch, err := repo.Patch(t.Context(), base, made, "new/one")
	require.NoError(t, err)
	require.Contains(t, patch, "+++ b/new/one\n+new")
	require.NotContains(t, patch, "run")
}
