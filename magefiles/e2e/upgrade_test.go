package e2e_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
)

// TestBumpedPackagesAreBuiltAndUpgraded bumps the real packages, builds them with the embedded toolchain, and publishes them to an embedded
// prefix.dev. Each index.json has the new version and the new pins. The downstreams are upgraded to the newest version on the channel, and then
// downgraded without access to a server.
func TestBumpedPackagesAreBuiltAndUpgraded(t *testing.T) {
	t.Parallel()
	root := copyOfOurs(t)
	at := func(env string, args ...string) string {
		cmd := exec.Command(filepath.Join(compiled, "targets"), args...)
		cmd.Dir, cmd.Env = root, append(os.Environ(), "PIPELINE_TOOLCHAIN=embedded", "SOURCE_DATE_EPOCH=1767323046", env)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	at("", "version:bump", "-to=minor", "-yes")
	at("", "build:all")

	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	web := httptest.NewServer(server.New(s, server.Options{Authorize: channeltest.APIKey("pfx_test"), Spool: s.Incoming()}))
	defer web.Close()
	client, err := prefixdev.New(prefixdev.Options{Server: web.URL, Token: "pfx_test"})
	require.NoError(t, err)
	foopack, err := client.Channel("foopack")
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(root, "output", "*.conda"))
	require.NoError(t, err)
	require.Len(t, files, 3)
	pins := 0
	for _, f := range files {
		u, err := channel.NewUpload(f)
		require.NoError(t, err)
		require.Equal(t, "0.2.0", u.Record.Version)
		for _, d := range u.Record.Depends {
			if strings.HasPrefix(d, "foopack-") {
				require.Equal(t, "foopack-core ==0.2.0", d)
				pins++
			}
		}
		_, err = foopack.Put(t.Context(), u)
		require.NoError(t, err)
	}
	require.Equal(t, 2, pins)

	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		return string(data)
	}
	before := read("app/pixi.toml")
	require.Contains(t, before, `foopack-core = "==0.1.0"`)
	out := at("PREFIX_SERVER_URL="+web.URL, "app:upgrade", "-yes")
	require.Contains(t, out, "the newest on the channel")
	require.Equal(t, strings.ReplaceAll(before, `"==0.1.0"`, `"==0.2.0"`), read("app/pixi.toml"))
	require.Equal(t, 3, strings.Count(read("app/pyproject.toml"), "==0.2.0"))
	require.Equal(t, 3, strings.Count(read("containers/runtime/pixi.toml"), "==0.2.0"))
	require.Regexp(t, "nothing to change(.|\n)*\n→ `mage app:check`\n$", at("PREFIX_SERVER_URL="+web.URL, "app:upgrade", "-yes"))

	// One downstream is downgraded. The server is gone.
	web.Close()
	at("PREFIX_SERVER_URL="+web.URL, "app:upgrade", "-to=0.1.0", "-only=app", "-yes")
	require.Equal(t, before, read("app/pixi.toml"))
	require.Equal(t, 3, strings.Count(read("containers/runtime/pixi.toml"), "==0.2.0"))
}
