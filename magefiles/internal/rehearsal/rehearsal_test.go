package rehearsal

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/localprefix"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/view"
)

// A second rehearsal in the same folder is told so, with the exit status for a person to decide, and may go on once the
// first has ended.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(dir)
	require.NoError(t, err)
	_, err = lock(dir)
	require.ErrorContains(t, err, "another rehearsal is under way")
	require.Equal(t, operr.Stopped, operr.ExitStatus(err))
	unlock()
	unlock, err = lock(dir)
	require.NoError(t, err)
	unlock()

	// What a killed clean leaves of an earlier rehearsal is ours.
	require.NoError(t, os.Remove(filepath.Join(dir, lockFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, view.ReportPage), nil, 0o644))
	unlock, err = lock(dir)
	require.NoError(t, err)
	unlock()
	require.NoError(t, os.Remove(filepath.Join(dir, lockFile)))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.html"), nil, 0o644))
	_, err = lock(dir)
	require.ErrorContains(t, err, "thesis.html is in "+dir+", and no rehearsal has put it there")
}

// To a release, nothing tells a rehearsal from the world but addresses, the credentials that count there, and settings of git
// without those that lead elsewhere: it is the same program with the same arguments.
func TestOnlyTheAddressesDiffer(t *testing.T) {
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
