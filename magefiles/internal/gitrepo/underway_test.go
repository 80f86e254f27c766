package gitrepo_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// Underway returns the operation in progress, even if no file differs, and only in the affected work tree.
func TestUnderway(t *testing.T) {
	repo, dir, git := gitrepotest.Open(t)
	git("branch", "side")
	git("worktree", "add", "-q", filepath.Join(dir, "linked"), "side")
	gitrepotest.Write(t, dir, "sub/file", "ours\n")
	git("commit", "-q", "-a", "-m", "ours")
	gitrepotest.Write(t, filepath.Join(dir, "linked"), "sub/file", "theirs\n")
	git("-C", "linked", "commit", "-q", "-a", "-m", "theirs")
	linked, err := gitrepo.Open(t.Context(), runner(), filepath.Join(dir, "linked"))
	require.NoError(t, err)
	conflicts := func(args ...string) {
		t.Helper()
		x := exec.Command("git", args...)
		x.Dir = dir
		require.Error(t, x.Run(), "%v conflicts", args)
	}
	for _, c := range []struct {
		what  string
		begin func()
		end   []string
	}{
		{"a merge", func() { git("merge", "-q", "-s", "ours", "--no-commit", "side") }, []string{"merge", "--abort"}},
		{"a rebase", func() { conflicts("rebase", "-q", "side") }, []string{"rebase", "--abort"}},
		{"a rebase or `git am`", func() { conflicts("rebase", "-q", "--apply", "side") }, []string{"rebase", "--abort"}},
		{"a cherry-pick", func() { conflicts("cherry-pick", "side") }, []string{"cherry-pick", "--abort"}},
		{"a revert", func() { conflicts("revert", "--no-edit", "side") }, []string{"revert", "--abort"}},
	} {
		what, _ := repo.Underway(t.Context())
		require.Empty(t, what)
		c.begin()
		what, end := repo.Underway(t.Context())
		require.Equal(t, c.what, what)
		require.NotEmpty(t, end)
		other, _ := linked.Underway(t.Context())
		require.Empty(t, other)
		git(c.end...)
	}
}

func runner() command.Runner { return command.NewSystem(os.Environ(), nil) }
