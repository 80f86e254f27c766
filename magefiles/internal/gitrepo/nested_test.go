package gitrepo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// A tag may refer to another tag, for example to sign it. Every git version resolves it to the commit, although for-each-ref follows only one level
// before version 2.45.
func TestTagOfATag(t *testing.T) {
	t.Parallel()
	dir, run := gitrepotest.New(t)
	git := func(args ...string) string { return gitrepotest.Git(t, run, dir, args...) }
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	head := git("rev-parse", "HEAD")
	git("tag", "light")
	git("tag", "-a", "-m", "one", "one")
	git("tag", "-a", "-m", "two", "two", "one")
	git("tag", "-a", "-m", "three", "sub/three", "two")
	git("tag", "-a", "-m", "a tree", "tree", "HEAD^{tree}")
	git("tag", "-a", "-m", "a tag of that", "of-tree", "tree")
	want := map[string]string{"light": head, "one": head, "two": head, "sub/three": head}

	tags, err := repo.Tags(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, tags)
	tags, err = repo.MergedTags(t.Context())
	require.NoError(t, err)
	require.Equal(t, want, tags)
	tags, found, err := repo.TagTroubles(t.Context(), []string{"two", "sub/three", "of-tree"})
	require.NoError(t, err)
	require.Equal(t, want, tags)
	require.Len(t, found, 1)
	require.ErrorContains(t, found[0], "the tag of-tree exists already, and does not refer to a commit")
}
