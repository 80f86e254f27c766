package ourchannel

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
)

// A channel in a manifest is ours only if the whole address matches, not only the last element of its path.
func TestWhichChannelIsOurs(t *testing.T) {
	for _, c := range []struct {
		server, address string
		want            bool
	}{
		{"", "https://prefix.dev/team", true},
		{"", "https://repo.prefix.dev/team/", true},
		{"", "https://prefix.dev/others/team", false},
		{"", "https://prefix.dev/team/team", false},
		{"", "https://prefix.dev/teams", false},
		{"", "s3://prefix.dev/team", false},
		{"", "https://prefix.dev.stranger.example/team", false},
		{"", "https://stranger.example/team", false},
		{"", "https://prefix.dev@stranger.example/team", false},
		{"https://art.example/api/conda", "https://art.example/api/conda/team", true},
		{"https://art.example/api/conda/", "https://art.example/api/conda/team/", true},
		{"https://art.example/api/conda", "https://art.example/api/other/team", false},
		{"https://art.example/api/conda", "https://art.example/team", false},
		{"https://art.example:8443", "https://art.example/team", false},
		{"https://art.example", "https://prefix.dev/team", false},
	} {
		client, err := prefixdev.New(prefixdev.Options{Server: c.server})
		require.NoError(t, err)
		require.Equal(t, c.want, isOurs(client, c.address, "team"), c)
		require.False(t, isOurs(client, c.address, ""), c)
	}
}

// A mirror replaces our channel on the public server. It does not replace a channel whose path merely ends with the same name.
func TestMirrorOfOurChannel(t *testing.T) {
	mirror := New(Config{Server: "https://mirror.example/"})
	all := []string{"https://prefix.dev/team", "https://repo.prefix.dev/team/", "https://prefix.dev/others/team", "https://stranger.example/team", "conda-forge"}
	const at = "https://mirror.example/team"
	require.Equal(t, map[string]string{all[0]: at, all[1]: at}, mirror.Redirects(all, "team"))
	require.Empty(t, mirror.Redirects(all[2:], "team"))
	for _, server := range []string{"", "https://prefix.dev"} {
		for from, to := range New(Config{Server: server}).Redirects(all, "team") {
			require.Equal(t, "https://prefix.dev/team", to, "%s, with %q", from, server)
		}
	}
}
