package gitrepo_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// CommitFrom commits files from another folder, and does not change the checkout.
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
	require.Equal(t, "#!/bin/sh\necho", git("cat-file", "blob", made+":run"), "line endings follow the settings")
	require.Equal(t, base, git("rev-parse", "HEAD"))
	require.Equal(t, " M sub/file", git("status", "--porcelain", "--untracked-files=no"), "unstaged changes are not affected")

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

// CommitFrom applies the same filters as a checkout, so that unedited files do not differ.
func TestCommitFromAppliesFilters(t *testing.T) {
	for name, c := range map[string]struct{ attributes, setting string }{
		"eol=crlf":             {"* text=auto\n*.toml text eol=crlf\n", ""},
		"autocrlf":             {"", "core.autocrlf=true"},
		"a filter of the user": {"*.toml filter=upper\n", "filter.upper.clean=tr -d '\\r'"},
		"safecrlf":             {"*.toml text eol=lf\n", "core.safecrlf=true"},
	} {
		t.Run(name, func(t *testing.T) {
			repo, dir, git := gitrepotest.Open(t)
			if c.attributes != "" {
				gitrepotest.Write(t, dir, ".gitattributes", c.attributes)
			}
			if key, value, set := strings.Cut(c.setting, "="); set {
				git("config", key, value)
			}
			gitrepotest.Write(t, dir, "pixi.toml", "[package]\nversion = \"1\"\n")
			git("add", "-A")
			git("commit", "-q", "-m", "a manifest")
			base := git("rev-parse", "HEAD")
			elsewhere := t.TempDir() // has the same content as a checkout
			if c.attributes != "" {
				gitrepotest.Write(t, elsewhere, ".gitattributes", c.attributes)
			}
			gitrepotest.Write(t, elsewhere, "pixi.toml", "[package]\r\nversion = \"2\"\r\n")
			made, err := repo.CommitFrom(t.Context(), base, elsewhere, []string{"pixi.toml"}, func(string) string { return "a subject\n" })
			require.NoError(t, err)
			patch, err := repo.Patch(t.Context(), base, made)
			require.NoError(t, err)
			require.Equal(t, "-version = \"1\"\n+version = \"2\"", patch[strings.Index(patch, "-version"):])
			require.NotContains(t, patch, "[package]")
		})
	}
}
