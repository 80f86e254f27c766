package imagejob

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image"
)

// Tags depend on git's order of commits, not on their times: here, all commits have the same second, or a later one has an earlier time.
func TestCommitOrderIsGits(t *testing.T) {
	dir := t.TempDir()
	git := func(date string, args ...string) string {
		run := command.NewSystem(command.Setenv(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.invalid",
			"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.invalid", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date), nil)
		out, err := command.Output(t.Context(), run, command.Cmd{Name: "git", Args: args, Dir: dir})
		require.NoError(t, err)
		return out
	}
	commit := func(date string) string {
		git(date, "commit", "-q", "--allow-empty", "-m", "x")
		return git(date, "rev-parse", "HEAD")
	}
	const second, slow = "2026-01-02T03:04:06Z", "2026-01-01T20:00:00Z"
	git(second, "init", "-q", "-b", "main")
	first := commit(second)
	newer := commit(second)
	newest := commit(slow)
	git(second, "switch", "-q", "-c", "side", first)
	side := commit("2026-02-01T00:00:00Z")
	git(second, "switch", "-q", "main")
	git(slow, "merge", "-q", "--no-ff", "-m", "merge", "side")
	merged := git(second, "rev-parse", "HEAD")

	repo, err := gitrepo.Open(t.Context(), command.NewSystem(os.Environ(), nil), dir)
	require.NoError(t, err)
	history := orderCommits(repo)
	for _, c := range []struct {
		what, ours, theirs string
		want               image.Order
	}{
		{"of the same second", newer, first, image.Behind},
		{"of the same second, the other way", first, newer, image.Ahead},
		{"of a slow clock", newest, newer, image.Behind},
		{"itself", newest, newest, image.Same},
		{"beside it", side, newest, image.Apart},
		{"a branch that was merged, and has a later date", merged, side, image.Behind},
		{"nobody's", merged, "1111111111111111111111111111111111111111", image.Unknown},
		{"not a commit's name", merged, "latest", image.Unknown},
	} {
		got, err := history(t.Context(), c.ours, c.theirs)
		require.NoError(t, err)
		require.Equal(t, c.want, got, c.what)
	}
}
