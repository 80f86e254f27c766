package channel_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

// Fetch downloads the build with the highest build number once, and caches it by digest.
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

// TestHostileFilesInTheCache tests that a cached file is used only if it has the digest from the index. Otherwise the file is downloaded again.
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

// lying is a channel whose index contains a path instead of a digest.
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

// If strict, FetchFirst uses only the first channel that has any version of the package, like a solver with strict channel priority.
func TestFetchFirst(t *testing.T) {
	places := map[string]channel.Place{}
	for name, packages := range map[string][]condapkgtest.Package{
		"old":   {{Name: "a"}, {Name: "b"}},
		"new":   {{Name: "a", Version: "2.0"}},
		"other": {{Name: "c"}},
	} {
		url, _, _ := serve(t)
		c := client(t, url)
		for _, p := range packages {
			_, err := c.Put(t.Context(), channeltest.Upload(t, p))
			require.NoError(t, err)
		}
		places[name] = channel.Place{Name: name, With: func(_ context.Context, use func(channel.Channel) error) error { return use(c) }}
	}
	for name, err := range map[string]error{"down": errors.New("connection refused"), "closed": channel.ErrUnauthorized} {
		places[name] = channel.Place{Name: name, With: func(context.Context, func(channel.Channel) error) error { return err }}
	}
	for _, c := range []struct {
		in      string
		version string
		any     bool
		unasked int
		want    string // error; "" for none
	}{
		{"old new", "1.0", false, 0, ""},
		{"other old", "1.0", false, 0, ""},
		{"new old", "2.0", false, 0, ""},
		{"new old", "1.0", false, 0, "new has a, but not version 1.0; the channel priority is strict, so later channels are not asked"},
		{"new old", "1.0", true, 0, ""},
		{"down closed old", "1.0", false, 2, ""},
		{"old down", "1.0", false, 0, ""},
		{"other", "1.0", false, 0, "none of the channels other has a 1.0"},
		{"new other", "3.0", true, 0, "none of the channels new, other has a 3.0"},
		{"other down", "1.0", false, 1, "none of the channels other, down has a 1.0; down: connection refused"},
		{"down closed other", "1.0", false, 2, "none of the channels down, closed, other has a 1.0; down: connection refused; closed: " + channel.ErrUnauthorized.Error()},
		{"down new", "1.0", false, 1, "new has a, but not version 1.0; the channel priority is strict, so later channels are not asked; down: connection refused"},
		{"", "1.0", false, 0, "a 1.0 was not found, because the manifest names no channel"},
	} {
		var all []channel.Place
		for _, name := range strings.Fields(c.in) {
			all = append(all, places[name])
		}
		file, unasked, err := channel.FetchFirst(t.Context(), all, !c.any, []string{"noarch", "linux-64"}, "a", c.version, t.TempDir())
		require.Len(t, unasked, c.unasked, c.in)
		if c.want == "" {
			require.NoError(t, err, c.in)
			require.Equal(t, "a-"+c.version+"-pyh4616a5c_0.conda", filepath.Base(file), c.in)
			continue
		}
		require.EqualError(t, err, c.want, c.in)
		require.ErrorIs(t, err, channel.ErrNotFound)
	}
}
