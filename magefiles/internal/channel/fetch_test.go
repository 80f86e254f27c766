package channel_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

// One version of a package is fetched once, the highest build of it, and kept under its digest.
func TestFetch(t *testing.T) {
	url, _, _ := serve(t)
	c, dir := client(t, url), t.TempDir()
	for _, p := range []condapkgtest.Package{
		{Name: "a"},
		{Name: "a", Build: "pyh4616a5c_2", Extra: map[string]any{"build_number": 2}},
		{Name: "a", Version: "2.0"},
		{Name: "b"},
	} {
		_, err := c.Put(t.Context(), channeltest.Upload(t, p))
		require.NoError(t, err)
	}
	path, err := channel.Fetch(t.Context(), c, "a", "1.0", dir)
	require.NoError(t, err)
	require.Equal(t, "a-1.0-pyh4616a5c_2.conda", filepath.Base(path))
	u, err := channel.NewUpload(path)
	require.NoError(t, err)
	require.Equal(t, u.Record.SHA256, filepath.Base(filepath.Dir(path)))

	before, err := os.Stat(path)
	require.NoError(t, err)
	again, err := channel.Fetch(t.Context(), c, "a", "1.0", dir)
	require.NoError(t, err)
	require.Equal(t, path, again)
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after))

	_, err = channel.Fetch(t.Context(), c, "a", "3.0", dir)
	require.ErrorIs(t, err, channel.ErrNotFound)
	require.EqualError(t, err, "the channel has no a 3.0")
}
