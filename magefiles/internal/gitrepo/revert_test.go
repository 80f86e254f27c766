package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// A failed revert restores the index and the work tree, whatever the reason. A killed revert does not prevent the next one.
func TestRevertThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before func(dir string, git func(...string) string)
		works  bool   // whether the revert succeeds despite the prior state
		status string // status after a failed revert
	}{
		"a hook refuses": {before: func(dir string, _ func(...string) string) {
			gitrepotest.Hook(t, filepath.Join(dir, ".git"), "prepare-commit-msg", "exit 1")
		}},
		"no key to sign with": {before: func(_ string, git func(...string) string) {
			git("config", "gpg.format", "ssh")
			git("config", "commit.gpgSign", "true")
			git("config", "user.signingKey", "/nowhere/key")
		}},
		"a hook refuses, and there are edits": {
			before: func(dir string, _ func(...string) string) {
				gitrepotest.Hook(t, filepath.Join(dir, ".git"), "prepare-commit-msg", "exit 1")
				gitrepotest.Write(t, dir, "kept", "edited\n")
				gitrepotest.Write(t, dir, "stranger", "s\n")
			},
			status: " M kept\n?? stranger",
		},
		"other changes are staged": {
			before: func(dir string, git func(...string) string) {
				gitrepotest.Write(t, dir, "kept", "staged\n")
				git("add", "kept")
			},
			status: "M  kept",
		},
		"a conflict": {before: func(dir string, git func(...string) string) {
			gitrepotest.Write(t, dir, "new", "other\n")
			git("commit", "-q", "-a", "-m", "other")
		}},
		"killed before it was committed": {
			works: true,
			before: func(_ string, git func(...string) string) {
				git("rm", "-q", "new")
			},
		},
		"killed, and edited afterwards": {
			works: true,
			before: func(dir string, git func(...string) string) {
				git("rm", "-q", "new")
				gitrepotest.Write(t, dir, "kept", "edited\n")
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repo, dir, git := gitrepotest.Open(t)
			gitrepotest.Write(t, dir, "kept", "k\n")
			git("add", "kept")
			git("commit", "-q", "-m", "kept")
			gitrepotest.Write(t, dir, "new", "n\n")
			hash, err := repo.Commit(t.Context(), []string{"new"}, "release: v1\n")
			require.NoError(t, err)
			require.Empty(t, git("status", "--porcelain"))
			c.before(dir, git)
			head := git("rev-parse", "HEAD")
			back, err := repo.Revert(t.Context(), hash)
			if c.works {
				require.NoError(t, err)
				require.Equal(t, head, git("rev-parse", back+"^"))
				require.NoFileExists(t, filepath.Join(dir, "new"))
				return
			}
			require.Error(t, err)
			require.Equal(t, head, git("rev-parse", "HEAD"))
			require.Equal(t, c.status, git("status", "--porcelain"))
			_, err = os.Stat(filepath.Join(dir, "new"))
			require.NoError(t, err)
		})
	}
}
