package channel_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
)

const key = "pfx_test"

// serve runs the embedded server for a new folder until the test ends.
func serve(t *testing.T) (url, dir string, s *store.Store) {
	t.Helper()
	dir = t.TempDir()
	s, err := store.Open(dir)
	require.NoError(t, err)
	h := httptest.NewServer(server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming()}))
	t.Cleanup(func() {
		h.Close()
		require.NoError(t, s.Close())
	})
	return h.URL, dir, s
}

func client(t testing.TB, url string) *prefixdev.Channel {
	t.Helper()
	c, err := prefixdev.New(prefixdev.Options{Server: url, Token: key})
	require.NoError(t, err)
	remote, err := c.Channel("demo")
	require.NoError(t, err)
	return remote
}

// A client of a server passes the same tests as the server's folder.
func TestOverTheWire(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channel.Channel {
		url, _, s := serve(t)
		_, err := s.Create(t.Context(), "demo")
		require.NoError(t, err)
		return client(t, url)
	})
}

func TestFirstUploadCreatesTheChannel(t *testing.T) {
	url, dir, _ := serve(t)
	remote := client(t, url)
	_, err := remote.Records(t.Context(), "noarch")
	require.ErrorIs(t, err, channel.ErrNotFound)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	_, err = remote.Put(t.Context(), u)
	require.NoError(t, err)
	require.Equal(t, map[string]string{u.File: u.Record.SHA256}, channeltest.Index(t, remote, "noarch"))
	channeltest.NoStrays(t, dir, 1)
}

func TestDownloadChecksTheBytes(t *testing.T) {
	url, dir, _ := serve(t)
	remote := client(t, url)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	_, err := remote.Put(t.Context(), u)
	require.NoError(t, err)
	to := filepath.Join(t.TempDir(), u.File)
	require.NoError(t, channel.Download(t.Context(), remote, u.Record, to))
	again, err := channel.NewUpload(to)
	require.NoError(t, err)
	require.Equal(t, u.Record, again.Record)

	stored := filepath.Join(dir, "demo", "noarch", u.File)
	data, err := os.ReadFile(stored)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	require.NoError(t, os.WriteFile(stored, data, 0o644))
	elsewhere := filepath.Join(t.TempDir(), u.File)
	require.ErrorIs(t, channel.Download(t.Context(), remote, u.Record, elsewhere), channel.ErrInvalid)
	require.NoFileExists(t, elsewhere)
}
