package gitrepo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// ChangedBetween, FilesOf and Contents handle file names with special characters. A renamed file counts as two files.
func TestBetween(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	gitrepotest.AddRemote(t, dir, git)
	for name, text := range map[string]string{"a b/ü\n.txt": "one\n", "moved": "the same for a while\n", "stays": "s\n"} {
		gitrepotest.Write(t, dir, name, text)
	}
	git("add", "-A")
	git("commit", "-q", "-m", "one")
	one := git("rev-parse", "HEAD")
	gitrepotest.Write(t, dir, "a b/ü\n.txt", "two\n")
	git("mv", "moved", "other")
	git("add", "-A")
	git("commit", "-q", "--cleanup=verbatim", "-m", "two\n\n\nskip-checks: true")
	two := git("rev-parse", "HEAD")

	files, err := repo.ChangedBetween(t.Context(), one, two)
	require.NoError(t, err)
	require.Equal(t, []string{"a b/ü\n.txt", "moved", "other"}, files)
	files, err = repo.ChangedBetween(t.Context(), two, two)
	require.NoError(t, err)
	require.Empty(t, files)
	_, err = repo.ChangedBetween(t.Context(), one, "0123456789012345678901234567890123456789")
	require.Error(t, err)

	files, err = repo.FilesOf(t.Context(), two, "a b")
	require.NoError(t, err)
	require.Equal(t, []string{"a b/ü\n.txt"}, files)
	files, err = repo.FilesOf(t.Context(), one)
	require.NoError(t, err)
	require.Subset(t, files, []string{"a b/ü\n.txt", "moved", "stays"})

	texts, err := repo.Contents(t.Context(), two, "other", "moved", "a b/ü\n.txt", "stays")
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("the same for a while\n"), nil, nil, []byte("s\n")}, texts)

	message, err := repo.MessageOf(t.Context(), two)
	require.NoError(t, err)
	require.Contains(t, message, "two\n\n\nskip-checks: true")

	unpushed, err := repo.Unpushed(t.Context(), two)
	require.NoError(t, err)
	require.Equal(t, []string{two, one}, unpushed)
	git("push", "-q", "origin", one+":refs/heads/topic")
	git("fetch", "-q", "origin")
	unpushed, err = repo.Unpushed(t.Context(), two)
	require.NoError(t, err)
	require.Equal(t, []string{two}, unpushed)
}
