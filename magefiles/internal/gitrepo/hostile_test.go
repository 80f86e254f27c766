package gitrepo_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
)

// TestHostileRemotes refuses a remote, and an address of one, that git or ssh would take for an option, before git is asked.
func TestHostileRemotes(t *testing.T) {
	dir, run := newRepo(t)
	git := func(args ...string) string { return gitOK(t, run, dir, args...) }
	git("remote", "add", "origin", "x")
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	touched := filepath.Join(dir, "touched")
	head, err := repo.Resolve(t.Context(), "HEAD")
	require.NoError(t, err)
	for _, remote := range []string{"--upload-pack=touch " + touched, "-o", "--receive-pack=touch " + touched} {
		_, err := repo.Remote(t.Context(), remote)
		require.ErrorContains(t, err, "it begins with a dash")
		require.ErrorContains(t, repo.Push(t.Context(), remote, head, "main"), "it begins with a dash")
		require.ErrorContains(t, repo.Fetch(t.Context(), remote), "it begins with a dash")
	}
	for _, address := range []string{"ssh://-oProxyCommand=touch/x", "-oProxyCommand=touch x:y", "git@-oProxyCommand=touch:x", "--upload-pack=touch " + touched} {
		git("config", "remote.origin.url", address)
		_, err := repo.Remote(t.Context(), "origin")
		require.ErrorContains(t, err, "is an option to git, or to ssh", address)
		require.ErrorContains(t, repo.Push(t.Context(), "origin", head, "main"), "is an option to git, or to ssh", address)
	}
	for _, address := range []string{"../a-b.git", "git@host-a:x/-y.git", "https://host/-x", "/a:-b"} {
		git("config", "remote.origin.url", address)
		url, err := repo.URL(t.Context(), "origin")
		require.NoError(t, err)
		require.Equal(t, address, url)
	}
	require.NoFileExists(t, touched)
}

// TestHostileCommits hands names to git that are options of the command: they are names of nothing.
func TestHostileCommits(t *testing.T) {
	dir, run := newRepo(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	ctx, output := t.Context(), filepath.Join(dir, "output")
	for _, name := range []string{"--output=" + output, "--hard", "-f", "--all"} {
		_, err := repo.Ahead(ctx, name, "HEAD")
		require.Error(t, err, name)
		_, err = repo.Parent(ctx, name)
		require.Error(t, err, name)
		_, err = repo.Differs(ctx, name, "HEAD", ".")
		require.Error(t, err, name)
		_, err = repo.LineOrigin(ctx, name, "a", 1)
		require.Error(t, err, name)
		_, err = repo.Revert(ctx, name)
		require.Error(t, err, name)
		require.ErrorContains(t, repo.Back(ctx, name), "it begins with a dash")
		require.Error(t, repo.CloneAt(ctx, filepath.Join(t.TempDir(), "clone"), name), name)
		require.Error(t, repo.DeleteTag(ctx, name), name)
	}
	require.NoFileExists(t, output)
}
