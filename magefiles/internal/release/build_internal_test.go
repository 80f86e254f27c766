package release

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
	"github.com/stretchr/testify/require"
)

func TestTail(t *testing.T) {
	var l tail
	require.Equal(t, "no output", l.last())
	fmt.Fprint(&l, "first\n===== 99 passed in 1.0s =====\n\n")
	require.Equal(t, "99 passed in 1.0s", l.last())
	for i := range 5000 {
		fmt.Fprintf(&l, "line %d\n", i)
	}
	require.Equal(t, "line 4999", l.last())
	require.NotContains(t, l.text(), "line 4000")
}

// The clone borrows the repository's objects, so moving the repository breaks the clone, and it is replaced. Built artifacts are kept: some may be on
// the channel, and rebuilt ones may differ.
func TestArtifactsSurviveAMovedRepository(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.Write(t, dir, ".gitignore", "/output/\n")
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	head, err := repo.Head(t.Context())
	require.NoError(t, err)
	clone := func(repo *gitrepo.Repo) string {
		w := &workshop{Release: &Release{Means: Means{
			Repo:   repo,
			Runner: repo.Runner,
			Dir:    filepath.Join(repo.Top, "output", "release"),
		}}}
		made, err := w.cloneAt(t.Context(), filepath.Join(w.Dir, cloneDir), head.Commit)
		require.NoError(t, err)
		at, err := made.Head(t.Context())
		require.NoError(t, err)
		require.Equal(t, head.Commit, at.Commit)
		return made.Top
	}
	gitrepotest.Write(t, clone(repo), "output/a.conda", "built once")
	moved := dir + "-moved"
	require.NoError(t, os.Rename(dir, moved))
	repo, err = gitrepo.Open(t.Context(), repo.Runner, moved)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(clone(repo), "output", "a.conda"))
	require.NoError(t, err)
	require.Equal(t, "built once", string(text))
	require.NoDirExists(t, filepath.Join(moved, "output", "release", keptDir))
}
