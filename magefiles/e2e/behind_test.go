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

// TestDownstreamIsTestedWithItsPins moves the sources to a version other than the one that a downstream pins. test:all installs the pinned version
// from the channel at PREFIX_SERVER_URL. If the channel does not have that version, the error says so.
func TestDownstreamIsTestedWithItsPins(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	sources := func(version string) {
		write("lib/pixi.toml", "[package]\nname = \"lib\"\nversion = \""+version+"\"\n[package.build]\nbackend = { name = \"pixi-build-python\", version = \"*\" }\n")
		write("lib/pyproject.toml", "[project]\nname = \"lib\"\nversion = \""+version+"\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n")
		write("lib/src/lib/__init__.py", "VERSION = \""+version+"\"\n")
	}
	write("pixi.toml", "[workspace]\nname = \"w\"\nchannels = []\nplatforms = [\"linux-64\"]\n[tasks]\ntest = \"echo tested\"\n[tool.release]\nchannel = \"ours\"\n")
	write("site/pixi.toml", "[workspace]\nname = \"site\"\nchannels = [\"https://prefix.dev/ours\"]\nplatforms = [\"linux-64\"]\n"+
		"[dependencies]\nlib = \"==1.0.0\"\n[tasks]\ntest = \"python -c 'import lib; print(lib.VERSION)'\"\n")
	s, err := store.Open(t.TempDir())
	require.NoError(t, err)
	defer s.Close()
	web := httptest.NewServer(server.New(s, server.Options{Authorize: channeltest.APIKey("pfx_test"), Spool: s.Incoming()}))
	defer web.Close()
	targets := func(serverURL, target string) (string, error) {
		x := exec.Command(filepath.Join(compiled, "targets"), target)
		x.Dir, x.Env = root, append(os.Environ(), "PIPELINE_TOOLCHAIN=embedded", "SOURCE_DATE_EPOCH=1767323046", "PREFIX_SERVER_URL="+serverURL)
		out, err := x.CombinedOutput()
		return string(out), err
	}

	sources("1.0.0")
	out, err := targets(web.URL, "build:all")
	require.NoError(t, err, out)
	client, err := prefixdev.New(prefixdev.Options{Server: web.URL, Token: "pfx_test"})
	require.NoError(t, err)
	ours, err := client.Channel("ours")
	require.NoError(t, err)
	u, err := channel.NewUpload(filepath.Join(root, "output", "lib-1.0.0-pyh4616a5c_0.conda"))
	require.NoError(t, err)
	_, err = ours.Put(t.Context(), u)
	require.NoError(t, err)

	sources("2.0.0")
	out, err = targets(web.URL, "test:all")
	require.NoError(t, err, out)
	require.Contains(t, out, "\n1.0.0\n")

	write("site/pixi.toml", strings.Replace(readFile(t, root, "site/pixi.toml"), "==1.0.0", "==0.9.0", 1))
	out, err = targets(web.URL, "test:all")
	require.Error(t, err)
	require.Contains(t, out, "site asks for lib ==0.9.0, but the workspace has 2.0.0, and the required version cannot be fetched from the channel: "+web.URL+"/ours has lib, but not version 0.9.0")
	require.Contains(t, out, "→ check whether the channel can be reached")
}

func readFile(t testing.TB, elements ...string) string {
	data, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return string(data)
}
