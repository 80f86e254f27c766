package channel_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
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

// TestHostileFilesInTheCache are not used: what is kept is what the index says, or is fetched again.
func TestHostileFilesInTheCache(t *testing.T) {
	url, _, _ := serve(t)
	c, dir := client(t, url), t.TempDir()
	_, err := c.Put(t.Context(), channeltest.Upload(t, condapkgtest.Package{Name: "a"}))
	require.NoError(t, err)
	path, err := channel.Fetch(t.Context(), c, "a", "1.0", dir)
	require.NoError(t, err)
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	other := condapkgtest.Package{Name: "a", Files: map[string]string{"site-packages/a/__init__.py": "evil"}}.Bytes(t)
	for name, bytes := range map[string][]byte{"another package": other, "a part": good[:100], "nothing": {}, "more": append(append([]byte{}, good...), 'x')} {
		require.NoError(t, os.WriteFile(path, bytes, 0o644))
		again, err := channel.Fetch(t.Context(), c, "a", "1.0", dir)
		require.NoError(t, err, name)
		require.Equal(t, path, again)
		now, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, good, now, name)
	}
}

// lying is a channel whose index has a digest that is a path.
type lying struct {
	channel.Channel
	sum string
}

func (l lying) Records(context.Context, string, ...string) ([]condapkg.Record, error) {
	return []condapkg.Record{{Index: condapkg.Index{Name: "a", Version: "1.0", Build: "0", Subdir: "noarch"}, SHA256: l.sum}}, nil
}

func TestHostileDigestIsNotAFolder(t *testing.T) {
	for _, sum := range []string{"", "..", "../../x", "/tmp"} {
		dir := filepath.Join(t.TempDir(), "a", "b")
		_, err := channel.Fetch(t.Context(), lying{sum: sum}, "a", "1.0", dir)
		require.ErrorIs(t, err, channel.ErrInvalid)
		require.NoDirExists(t, dir)
	}
}
