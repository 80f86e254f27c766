package rehearsal

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localprefix"
)

// A release in a rehearsal runs the same program with the same arguments. Only addresses, their credentials, and git settings that redirect git
// elsewhere differ from a real release.
func TestRehearsalDiffersOnlyInAddresses(t *testing.T) {
	own := []string{"HOME=/home/me", "PATH=/bin", "PREFIX_API_KEY=real", "GITHUB_TOKEN=real", "GITHUB_REPOSITORY=me/mine", "PREFIX_SERVER_URL=https://prefix.dev", "RATTLER_AUTH_FILE=/x", "LANG=C"}
	w := &World{Prefix: &localprefix.Server{URL: "http://127.0.0.1:1", Key: "pfx_x"}, API: "http://127.0.0.1:2", token: "t", WorldConfig: WorldConfig{Repository: "rehearsal/mine"}}
	r := &run{Config: Config{Program: "/the/magefile", Environ: own}, world: w, root: "/clone"}
	c := r.child(nil, nil, false, "release", "-to=patch", "-yes")
	require.Equal(t, "/the/magefile", c.Name)
	require.Equal(t, []string{"release", "-to=patch", "-yes"}, c.Args)
	differ := map[string]bool{}
	for _, pair := range [][2][]string{{own, c.Env}, {c.Env, own}} {
		for _, kv := range pair[0] {
			if !slices.Contains(pair[1], kv) {
				name, _, _ := strings.Cut(kv, "=")
				differ[name] = true
			}
		}
	}
	require.Equal(t, map[string]bool{
		"PREFIX_SERVER_URL": true, "PREFIX_API_KEY": true, "RATTLER_AUTH_FILE": true,
		"GITHUB_API_URL": true, "GITHUB_REPOSITORY": true, "GITHUB_TOKEN": true,
		"GIT_CONFIG_GLOBAL": true, "GIT_CONFIG_NOSYSTEM": true,
	}, differ)
}
