package gitrepo_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// LineOrigin follows first parents. It works in a long history, across a merge, and beside an identical line, and it ignores blame settings.
func TestLineOrigin(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	origin := func(line int) string {
		t.Helper()
		commit, err := repo.LineOrigin(t.Context(), "HEAD", "a file", line)
		require.NoError(t, err)
		return commit
	}
	commit := func(text string) string {
		gitrepotest.Write(t, dir, "a file", text)
		git("add", "-A")
		git("commit", "-q", "-m", "x")
		return git("rev-parse", "HEAD")
	}
	first := commit("[a]\nversion = 1\n[b]\nversion = 2\n")
	second := commit("[a]\nversion = 2\n[b]\nversion = 2\n")
	require.Equal(t, second, origin(2), "another line with the same text is older")
	require.Equal(t, first, origin(1))
	for i := range 40 {
		commit(fmt.Sprintf("[a]\nversion = 2\n[b]\nversion = 2\n# %d\n", i))
	}
	require.Equal(t, second, origin(2))

	git("switch", "-q", "-c", "side")
	commit("[a]\nversion = 3\n[b]\nversion = 2\n")
	git("switch", "-q", "main")
	git("commit", "-q", "--allow-empty", "-m", "meanwhile")
	git("merge", "-q", "--no-ff", "-m", "merge", "side")
	require.Equal(t, git("rev-parse", "HEAD"), origin(2), "for a line from a pull request, the result is the merge")

	git("config", "blame.ignoreRevsFile", ".no-such-file")
	require.Equal(t, git("rev-parse", "HEAD"), origin(2))
	_, err := repo.LineOrigin(t.Context(), "HEAD", "a file", 99)
	require.ErrorContains(t, err, "has no line 99")
	_, err = repo.LineOrigin(t.Context(), "HEAD", "nothing", 1)
	require.ErrorContains(t, err, "nothing")
	require.Contains(t, strings.ToLower(fmt.Sprintf("%+v", err)), "fatal: ")
}
