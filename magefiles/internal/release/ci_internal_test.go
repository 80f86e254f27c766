package release

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/release/plan"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

const channelKey = "pfx_the_key_of_a_private_channel"

// published returns a workspace, and a private channel that has its package a 1.0. key is the credential for reading the channel; "" for none.
func published(t *testing.T, key prefixdev.Token) (*workspace.Workspace, *prefixdev.Channel) {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":        "[workspace]\nname = \"w\"\nchannels = [\"conda-forge\"]\nplatforms = [\"linux-64\"]\n",
		"a/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1.0\"\n", "a/pixi.toml": "[package]\nname = \"a\"\nversion = \"1.0\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	world, err := localprefix.Start(localprefix.Options{Dir: filepath.Join(t.TempDir(), "channels"), Key: channelKey, Private: []string{"ours"}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, world.Close()) })
	open := func(token prefixdev.Token) *prefixdev.Channel {
		client, err := prefixdev.New(prefixdev.Options{Server: world.URL, Token: token, Attempts: 1})
		require.NoError(t, err)
		c, err := client.Channel("ours")
		require.NoError(t, err)
		return c
	}
	up, err := channel.NewUpload(condapkgtest.Package{Name: "a"}.Write(t, t.TempDir()))
	require.NoError(t, err)
	_, err = open(channelKey).Put(t.Context(), up)
	require.NoError(t, err)
	c := open("")
	c.Use(prefixdev.NewKey(func(context.Context) (prefixdev.Credential, error) {
		if key == "" {
			return prefixdev.Credential{}, prefixdev.ErrNone
		}
		return prefixdev.Credential{Token: key, Source: "a file"}, nil
	}))
	return w, c
}

// An invisible channel is waited for only briefly after the CI has finished, not for the full hour.
func TestWaitForAnInvisibleChannelIsShort(t *testing.T) {
	for name, c := range map[string]struct {
		key    prefixdev.Token
		unseen time.Duration
		says   string
	}{
		"a moment without a credential": {"", unseenFor, ""},
		"longer without one":            {"", unseenFor + 1, "is not visible without a credential"},
		"as long with one":              {"pfx_of_another_account", unseenFor + 1, ""},
		"a minute with one":             {"pfx_of_another_account", absentFor, ""},
		"longer with one":               {"pfx_of_another_account", absentFor + 1, "is not visible, without a credential or with a file"},
		"seen at last":                  {channelKey, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, ours := published(t, c.key)
			s := &publish.Sequence{Publisher: &publish.Publisher{Workspace: w, Channel: ours}}
			require.NoError(t, s.Look(t.Context(), publish.Artifacts{}))
			err := refuseUnseen(t.Context(), &plan.Plan{Title: "v1.0"}, s, c.unseen)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.Contains(t, operr.NextOf(err), "the channel; then run `mage release` to continue")
		})
	}
}
