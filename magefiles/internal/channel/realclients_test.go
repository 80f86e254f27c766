package channel_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/foopack/foopack/magefiles/internal/channel/channeltest"
	"github.com/foopack/foopack/magefiles/internal/channel/server"
	"github.com/foopack/foopack/magefiles/internal/channel/store"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/condapkgtest"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/minichannel"
	"github.com/foopack/foopack/magefiles/internal/pythontest"
	"github.com/foopack/foopack/magefiles/internal/rattlertest"
)

// py-rattler-build's uploader works with our server as with prefix.dev, and our client sees the uploaded files.
func TestTheRealUploader(t *testing.T) {
	url, dir, _ := serve(t)
	first := condapkgtest.Package{Name: "a"}.Write(t, t.TempDir())
	other := condapkgtest.Package{Name: "a", Depends: []string{"b"}}.Write(t, t.TempDir())
	remote := client(t, url)
	have := func() string {
		m := channeltest.Index(t, remote, "noarch")
		require.Len(t, m, 1)
		return m["a-1.0-pyh4616a5c_0.conda"]
	}
	sum := func(path string) string {
		r, err := condapkg.Inspect(path)
		require.NoError(t, err)
		return r.SHA256
	}
	up := rattlertest.Upload{Server: url, Channel: "demo", APIKey: key, Files: []string{first}}
	require.Empty(t, up.Run(t), "new")
	require.Equal(t, sum(first), have())
	require.Contains(t, up.Run(t), "package already exists (HTTP 409)")

	up.Files, up.SkipExisting = []string{other}, true
	require.Empty(t, up.Run(t), "the real uploader takes any 409 for success")
	require.Equal(t, sum(first), have(), "the first bytes stay")

	up.SkipExisting, up.Force = false, true
	require.Empty(t, up.Run(t), "force")
	require.Equal(t, sum(other), have())

	up.APIKey = "pfx_wrong"
	require.Contains(t, up.Run(t), "authentication failed (HTTP 401): the token is unknown or has expired")
	channeltest.NoStrays(t, dir, 1)
}

func TestErrorsForTheRealUploader(t *testing.T) {
	url, dir, _ := serve(t)
	path := condapkgtest.Package{Name: "Upper"}.Write(t, t.TempDir())
	says := rattlertest.Upload{Server: url, Channel: "demo", APIKey: key, Files: []string{path}}.Run(t)
	require.Contains(t, says, "unprocessable entity (HTTP 422)")
	require.Contains(t, says, "has the name")
	channeltest.NoStrays(t, dir, 0)
}

// A plain HTTP client such as curl can send the archive as the request body.
func TestUploadByPlainHTTP(t *testing.T) {
	url, _, _ := serve(t)
	u := channeltest.Upload(t, condapkgtest.Package{Name: "a"})
	data, err := os.ReadFile(u.Path)
	require.NoError(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/api/v1/upload/demo", bytes.NewReader(data))
	require.NoError(t, err)
	r.Header = http.Header{
		"Authorization": {"Bearer " + key}, "Content-Type": {"application/octet-stream"},
		"X-File-Name": {u.File}, "X-File-Sha256": {u.Record.SHA256},
	}
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, 201, resp.StatusCode)
	require.Equal(t, u.Record.SHA256, channeltest.Index(t, client(t, url), "noarch")[u.File])
}

// py-rattler finds a package immediately after its upload, with an empty cache and with a cache from before the upload, in the sharded index and
// in repodata.json.
func TestRealGatewaySeesAnUpload(t *testing.T) {
	for name, sharded := range map[string]bool{"sharded": true, "repodata": false} {
		t.Run(name, func(t *testing.T) {
			_, _, s := serve(t)
			url, paths := record(t, s)
			remote := client(t, url)
			solve := rattlertest.Solve{
				Channels: []string{url + "/demo"},
				Specs:    []string{"top"},
				Cache:    t.TempDir(),
				Sharded:  &sharded,
			}
			put := func(p condapkgtest.Package) (sha256 string) {
				p.Noarch, p.Build, p.Subdir = condapkg.NoarchGeneric, "h4616a5c_0", "noarch"
				u := channeltest.Upload(t, p)
				_, err := remote.Put(t.Context(), u)
				require.NoError(t, err)
				return u.Record.SHA256
			}
			base := put(condapkgtest.Package{Name: "base"})
			_, says := solve.Run(t)
			require.Contains(t, says, "top", "the package is not on the channel yet, and the cache now knows the channel")
			one := put(condapkgtest.Package{Name: "top", Depends: []string{"base ==1.0"}})
			records, says := solve.Run(t)
			require.Empty(t, says)
			require.Equal(t, one, records["top"].SHA256)
			require.Equal(t, base, records["base"].SHA256)
			require.Equal(t, url+"/demo/noarch/top-1.0-h4616a5c_0.conda", records["top"].URL)

			two := put(condapkgtest.Package{Name: "top", Version: "2.0", Depends: []string{"base ==1.0"}})
			records, says = solve.Run(t)
			require.Empty(t, says)
			require.Equal(t, two, records["top"].SHA256, "warm cache")
			solve.Cache = ""
			records, says = solve.Run(t)
			require.Empty(t, says)
			require.Equal(t, two, records["top"].SHA256, "fresh cache")
			require.Equal(t, sharded, paths("/shards/"), "the client used the intended index")
		})
	}
}

// record serves the store at another URL and records requests. `asked` reports whether a client requested a path that contains `part`.
func record(t *testing.T, s *store.Store) (url string, asked func(part string) bool) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	next := server.New(s, server.Options{Authorize: channeltest.APIKey(key), Spool: s.Incoming()})
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.UserAgent(), "rattler") {
			mu.Lock()
			seen = append(seen, r.URL.Path)
			mu.Unlock()
		}
		next.ServeHTTP(w, r)
	}))
	t.Cleanup(h.Close)
	return h.URL, func(part string) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(seen, func(path string) bool { return strings.Contains(path, part) })
	}
}

// Our store's index has the same records as the index that rattler writes for the same files.
func TestIndexEqualsRattlers(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	require.NoError(t, err)
	c, err := s.Create(t.Context(), "demo")
	require.NoError(t, err)
	theirs := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(theirs, "noarch"), 0o755))
	for _, p := range []condapkgtest.Package{
		{Name: "plain"},
		{Name: "plain", Version: "2.0"},
		{Name: "pinned", Depends: []string{"plain ==1.0", "python >=3.11,<3.14"}},
		{
			Name:   "full",
			Noarch: condapkg.NoarchGeneric,
			Subdir: "noarch",
			Extra: map[string]any{
				"license": "MIT", "license_family": "MIT", "constrains": []string{"x <2"}, "track_features": "a b", "arch": nil,
				"features": "f", "platform": "linux", "purls": []string{"pkg:pypi/full@1.0"}, "python_site_packages_path": "lib/x",
			},
		},
		{Name: "legacy", Subdir: "noarch", Noarch: condapkg.NoarchLegacy},
		{Name: "seconds", Extra: map[string]any{"timestamp": 1767323046}},
	} {
		p.Write(t, filepath.Join(theirs, "noarch"))
		_, err := c.Put(t.Context(), channeltest.Upload(t, p))
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	rattlertest.Index(t, theirs)
	read := func(path string) map[string]any {
		var v map[string]any
		data, err := os.ReadFile(filepath.Join(path, "noarch", repodata.JSON))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(data, &v))
		return v
	}
	require.Equal(t, untimed(read(theirs)["packages.conda"]), read(filepath.Join(dir, "demo"))["packages.conda"])

	want, got := shards(t, filepath.Join(theirs, "noarch")), shards(t, filepath.Join(dir, "demo", "noarch"))
	require.Equal(t, want, got)
}

// untimed removes the indexing time from records. Newer versions of rattler add it, but nothing uses it.
func untimed(records any) any {
	for _, r := range records.(map[string]any) {
		delete(r.(map[string]any), "indexed_timestamp")
	}
	return records
}

// shards reads a sharded index from disk and returns the contents of each shard by package name.
func shards(t *testing.T, dir string) map[string]any {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, repodata.Shards))
	require.NoError(t, err)
	defer f.Close()
	index, err := repodata.Own.DecodeShards(f)
	require.NoError(t, err)
	all := map[string]any{"base_url": index.BaseURL, "shards_base_url": index.ShardsBaseURL, "subdir": index.Subdir}
	for name, digest := range index.Shards {
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(digest.File())))
		require.NoError(t, err)
		defer f.Close()
		z, err := repodata.Own.Decompress(f)
		require.NoError(t, err)
		var v map[string]any
		d := msgpack.NewDecoder(z)
		d.UseLooseInterfaceDecoding(true) // decode all integers to the same type
		require.NoError(t, d.Decode(&v))
		untimed(v["packages.conda"])
		all[name] = v
	}
	return all
}

// py-rattler installs packages from our channel and from another channel with real packages into one environment, and the installed packages
// work.
func TestInstallFromTwoChannels(t *testing.T) {
	url, _, _ := serve(t)
	remote := client(t, url)
	lib := condapkgtest.Package{
		Name:    "lib",
		Version: "0.1.0",
		Depends: []string{"python >=3.11,<3.15", "numpy"},
		Files:   map[string]string{"site-packages/lib/__init__.py": "import numpy\n__version__ = '0.1.0'\n"},
	}
	tool := condapkgtest.Package{
		Name:        "tool",
		Version:     "0.1.0",
		Depends:     []string{"python >=3.11", "lib ==0.1.0"},
		EntryPoints: []string{"tool = tool:main"},
		Files:       map[string]string{"site-packages/tool/__init__.py": "import lib\ndef main():\n    print('tool with lib', lib.__version__)\n"},
	}
	for _, p := range []condapkgtest.Package{lib, tool} {
		_, err := remote.Put(t.Context(), channeltest.Upload(t, p))
		require.NoError(t, err)
	}
	python := rattlertest.SolveInstall(t, []string{url + "/demo", minichannel.Start(t)}, []string{"tool ==0.1.0"})
	require.Equal(t, "tool with lib 0.1.0\n", pythontest.MustRun(t, python, "import tool; tool.main()", nil))
	require.Equal(t, "tool with lib 0.1.0\n", pythontest.MustRun(t, python,
		"import os, subprocess, sys; subprocess.run([os.path.join(os.path.dirname(sys.executable), 'tool')], check=True)", nil))
}
