package gitrepo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// Tracked returns paths relative to the folder that was passed to Open.
func TestTracked(t *testing.T) {
	top := t.TempDir()
	runner := command.NewSystem(os.Environ(), nil)
	for _, name := range []string{"one", "sub/two", "sub/output/images/a/x.digest", "sub/output/images/ab/y", "output/z", "not"} {
		path := filepath.Join(top, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
	}
	for _, args := range [][]string{{"init", "-q"}, {"add", "one", "sub", "output"}} {
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: top}))
	}
	require.NoError(t, os.Remove(filepath.Join(top, "sub", "two")))
	for _, c := range []struct {
		in, below string
		want      []string
	}{
		{"", "", []string{"one", "output/z", "sub/output/images/a/x.digest", "sub/output/images/ab/y", "sub/two"}},
		{"sub", "", []string{"output/images/a/x.digest", "output/images/ab/y", "two"}},
		{"sub", "output/images/a", []string{"output/images/a/x.digest"}},
		{"sub", "output/images/b", nil},
		{"", "output", []string{"output/z"}},
	} {
		repo, err := gitrepo.Open(t.Context(), runner, filepath.Join(top, c.in))
		require.NoError(t, err)
		got, err := repo.Tracked(t.Context(), c.below)
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%s of %s", c.below, c.in)
	}
}

// A folder outside a repository, or in a repository without a commit, has no tags. Tags that are not reachable from HEAD are not returned.
func TestTagsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	runner := command.NewSystem(os.Environ(), nil)
	git := func(args ...string) {
		args = append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid"}, args...)
		require.NoError(t, runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
	}
	tags := func() map[string]string {
		found, err := gitrepo.Tags{Runner: runner, Dir: dir}.MergedTags(t.Context())
		require.NoError(t, err)
		return found
	}
	require.Empty(t, tags(), "outside of git")
	git("init", "-q")
	require.Empty(t, tags(), "before the first commit")
	git("commit", "-q", "--allow-empty", "-m", "first")
	git("tag", "v1")
	git("commit", "-q", "--allow-empty", "-m", "second")
	git("tag", "v2")
	require.Len(t, tags(), 2)
	git("checkout", "-q", "v1")
	require.Len(t, tags(), 1)
}
