package imagejob

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/available"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// aDownstream returns a downstream that depends on lib and seven other packages. channels is a list in TOML.
func aDownstream(t *testing.T, channels string) *workspace.Downstream {
	t.Helper()
	return aWorkspace(t, channels).Downstreams[0]
}

// aWorkspace returns the workspace of aDownstream.
func aWorkspace(t *testing.T, channels string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":     "[workspace]\nchannels = []\nplatforms = []\n", // it has no name, so any channel may be its own
		"lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1.0.0\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\" }\n",
		"app/pixi.toml": "[workspace]\nname = \"app\"\nplatforms = [\"linux-64\", \"linux-aarch64\"]\nchannels = [" + channels + "]\n" +
			"[dependencies]\nlib = \"==1.0.0\"\na = \"*\"\nb = \"*\"\nc = \"*\"\nd = \"*\"\ne = \"*\"\nf = \"*\"\ng = \"*\"\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	require.Len(t, w.Downstreams, 1)
	return w
}

// index returns the files of a channel's index by path: all formats, or only plain repodata.json.
func index(sharded bool) map[string][]byte {
	files := map[string][]byte{}
	for subdir, names := range map[string]string{"noarch": "lib a b c", "linux-64": "d e f g h", "linux-aarch64": "d e f g h"} {
		var entries []*repodata.Entry
		shards := map[string]repodata.Digest{}
		for name := range strings.FieldsSeq(names) {
			entry := repodata.NewEntry(condapkg.Record{Index: condapkg.Index{Name: name, Version: "1.0.0", Build: "0", Subdir: subdir}})
			if name == "lib" {
				entry = repodata.NewEntry(condapkg.Record{Index: condapkg.Index{Name: name, Version: "1.0.0", Build: "0", Subdir: subdir, Depends: []string{"a", "h>=1"}}})
			}
			shard, digest := repodata.EncodeShard([]*repodata.Entry{entry})
			entries, shards[name] = append(entries, entry), digest
			if sharded {
				files["/demo/"+subdir+"/"+digest.File()] = shard
			}
		}
		repodata.Sort(entries)
		files["/demo/"+subdir+"/"+repodata.JSON] = repodata.Encode(subdir, entries)
		if sharded {
			files["/demo/"+subdir+"/"+repodata.JSONZst] = repodata.Compress(repodata.Encode(subdir, entries))
			files["/demo/"+subdir+"/"+repodata.Shards] = repodata.EncodeShards(subdir, shards)
		}
	}
	return files
}

// A channel is queried in two rounds, each for all package names together, and once for its index formats. Large files are not downloaded again for
// each name.
func TestRequestsBeforeAnImageIsBuilt(t *testing.T) {
	for _, c := range []struct {
		sharded            bool
		all, plain, shards int // number of requests: all, and those for one subdir with either kind of index
	}{
		{false, 27, 3, 3},
		{true, 30, 1, 3},
	} {
		var mu sync.Mutex
		asked, all := map[string]int{}, 0
		files := index(c.sharded)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			all++
			asked[r.URL.Path]++
			mu.Unlock()
			if data, ok := files[r.URL.Path]; ok {
				_, _ = w.Write(data)
				return
			}
			http.NotFound(w, r)
		}))
		t.Cleanup(server.Close)
		said, err := checkPackages(t.Context(), aDownstream(t, `"`+server.URL+`/demo"`), &available.PixiConfig{}, "", []string{"linux/amd64", "linux/arm64"}, nil)
		require.NoError(t, err)
		require.Equal(t, "1 pin and 8 names, for linux/amd64 and linux/arm64", said)
		require.Equal(t, c.all, all)
		for _, subdir := range []string{"noarch", "linux-64", "linux-aarch64"} {
			require.Equal(t, c.plain, asked["/demo/"+subdir+"/"+repodata.JSON], subdir)
			require.Equal(t, c.shards, asked["/demo/"+subdir+"/"+repodata.Shards], subdir)
		}
	}
}

// The evidence names channels that are not on http as the user wrote them, but without passwords.
func TestChannelsThatAreNotRead(t *testing.T) {
	for written, shown := range map[string]string{
		"file:///srv/channel": "file:///srv/channel", "./output": "./output", "../output": "../output", "/srv/channel": "/srv/channel", "~/channel": "~/channel",
		"s3://key:secret@bucket/channel": "s3://bucket/channel", "oci://registry.example/channel": "oci://registry.example/channel", "file:/srv/channel": "file:/srv/channel",
	} {
		said, err := checkPackages(t.Context(), aDownstream(t, `"`+written+`"`), &available.PixiConfig{}, "", []string{"linux/amd64"}, nil)
		require.NoError(t, err, written)
		require.Equal(t, "0 pins and 0 names, for linux/amd64; lib, a, b, c, d, e, f, g not looked for on "+shown, said)
	}

	mirrored, err := available.ParsePixiConfig("config.toml", []byte("[mirrors]\n\"https://conda.anaconda.org\" = [\"oci://registry.example/mirrors\"]\n"))
	require.NoError(t, err)
	said, err := checkPackages(t.Context(), aDownstream(t, `"demo"`), mirrored, "", []string{"linux/amd64"}, nil)
	require.NoError(t, err)
	require.Contains(t, said, "not looked for on oci://registry.example/mirrors/demo")
}

// A private channel is read with the build's login. Without a login, or with a wrong one, the error names its source.
func TestAPrivateChannelBeforeAnImageIsBuilt(t *testing.T) {
	files := index(true)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, ok := files[r.URL.Path]
		switch {
		case r.Header.Get("Authorization") == "":
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case r.Header.Get("Authorization") != "Bearer right":
			http.Error(w, "not you", http.StatusForbidden)
		case ok:
			_, _ = w.Write(data)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	d := aDownstream(t, `"`+server.URL+`/demo"`)
	ask := func(token string) (string, error) {
		authFile := ""
		if token != "" {
			authFile = credentials(t, `{"BearerToken":"`+token+`"}`)
		}
		return checkPackages(t.Context(), d, &available.PixiConfig{}, authFile, []string{"linux/amd64"}, nil)
	}
	said, err := ask("right")
	require.NoError(t, err)
	require.Equal(t, "1 pin and 8 names, for linux/amd64", said)

	for token, want := range map[string]string{
		"":      server.URL + "/demo requires a login for looking up lib, a, b and 5 more",
		"wrong": server.URL + "/demo requires a login, but refused the entry 127.0.0.1 of ",
	} {
		_, err := ask(token)
		require.ErrorContains(t, err, want)
		require.Contains(t, fmt.Sprintf("%+v", err), "RATTLER_AUTH_FILE")
		require.NotContains(t, fmt.Sprintf("%+v", err), "wrong")
	}
}

// maker returns a Maker for a workspace, without settings from the environment.
func maker(w *workspace.Workspace) *Maker {
	return &Maker{
		Runner:    command.NewSystem(os.Environ(), nil),
		Workspace: w,
		Output:    "output",
		State:     "state",
		Lock:      "pixi.lock",
		Settings:  Settings{Registry: "127.0.0.1:1/x", SBOM: "off", IsSet: func(string) bool { return false }},
	}
}

// credentials writes a credentials file with one entry, for these tests' servers.
func credentials(t *testing.T, entry string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "credentials.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"127.0.0.1":`+entry+`}`), 0o600))
	return file
}

// An image is not refused because of a login that pixi supports and this program does not: a public channel is read without a login, and for a
// private channel the evidence says that it was not checked.
func TestALoginOfAnotherKind(t *testing.T) {
	files, private := index(true), false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if data, ok := files[r.URL.Path]; ok && !private {
			_, _ = w.Write(data)
			return
		}
		http.Error(w, "who are you?", map[bool]int{true: http.StatusUnauthorized, false: http.StatusNotFound}[private])
	}))
	t.Cleanup(server.Close)
	authFile := credentials(t, `{"BasicHTTP":{"username":"me","password":"secret"}}`)
	d := aDownstream(t, `"`+server.URL+`/demo"`)
	said, err := checkPackages(t.Context(), d, &available.PixiConfig{}, authFile, []string{"linux/amd64"}, nil)
	require.NoError(t, err)
	require.Equal(t, "1 pin and 8 names, for linux/amd64", said)

	private = true
	said, err = checkPackages(t.Context(), d, &available.PixiConfig{}, authFile, []string{"linux/amd64"}, nil)
	require.NoError(t, err)
	require.Equal(t, "0 pins and 0 names, for linux/amd64; lib, a, b, c, d, e, f, g not looked for on "+server.URL+"/demo", said)
}
