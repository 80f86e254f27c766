package localprefix_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/oidc"
)

// The key can write every channel, and a trusted job its own. After the server stops, everything written is a channel on disk.
func TestServing(t *testing.T) {
	dir := t.TempDir()
	s, err := localprefix.Start(localprefix.Options{Dir: dir, Trusted: []localprefix.Trusted{{Channel: "ours", Repository: "octo/tools"}}})
	require.NoError(t, err)
	require.Regexp(t, `^pfx_`, s.Key)
	client, err := prefixdev.New(prefixdev.Options{Server: s.URL})
	require.NoError(t, err)
	getenv := func(name string) string {
		for _, kv := range s.Environ() {
			if k, v, _ := strings.Cut(kv, "="); k == name {
				return v
			}
		}
		return ""
	}
	put := func(token prefixdev.Token, name string) error {
		with, err := client.With(token)
		require.NoError(t, err)
		c, err := with.Channel(name)
		require.NoError(t, err)
		_, err = c.Put(t.Context(), channeltest.Upload(t, condapkgtest.Package{Name: "a"}))
		return err
	}
	job, err := prefixdev.Sources{CI: oidc.Detect(getenv, oidc.Options{})}.Credential(t.Context(), client)
	require.NoError(t, err)
	require.NoError(t, put(job.Token, "ours"))
	require.ErrorIs(t, put(job.Token, "another"), channel.ErrForbidden)
	require.NoError(t, put(prefixdev.Token(s.Key), "another"))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, s.Wait(ctx))
	require.NoError(t, s.Close())
	for _, name := range []string{"ours", "another"} {
		data, err := os.ReadFile(filepath.Join(dir, name, "noarch", "repodata.json"))
		require.NoError(t, err)
		require.Contains(t, string(data), "a-1.0-pyh4616a5c_0.conda")
	}
	var none *localprefix.Server
	require.NoError(t, none.Close())
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	dir := t.TempDir()
	_, err = localprefix.Start(localprefix.Options{Dir: dir, Addr: l.Addr().String()})
	require.ErrorContains(t, err, "listening at "+l.Addr().String())
	s, err := localprefix.Start(localprefix.Options{Dir: dir, Key: "pfx_mine"})
	require.NoError(t, err, "the folder was let go")
	require.Equal(t, "pfx_mine", s.Key)
	require.Nil(t, s.Environ())
	require.NoError(t, s.Close())
}
