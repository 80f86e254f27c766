package image

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// shelf is a channel in memory. Its sharded index may lag behind.
type shelf struct {
	url     string
	records map[string][]condapkg.Record // by subdir
	lagging bool
	broken  error
}

func (s *shelf) URL() string { return s.url }

func (s *shelf) Records(_ context.Context, subdir string, names ...string) (found []condapkg.Record, err error) {
	if s.broken != nil {
		return nil, s.broken
	}
	if s.records[subdir] == nil {
		return nil, channel.ErrNotFound
	}
	for _, r := range s.records[subdir] {
		if slices.Contains(names, r.Name) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (s *shelf) Forms(ctx context.Context, subdir string, names ...string) []channel.Form {
	records, err := s.Records(ctx, subdir, names...)
	if errors.Is(err, channel.ErrNotFound) {
		return []channel.Form{{Name: "repodata.json"}, {Name: "shards"}}
	}
	forms := []channel.Form{{Name: "repodata.json", Offered: true, Records: records}, {Name: "shards", Offered: true, Records: records}}
	if s.lagging {
		forms[1].Records = nil
	}
	return forms
}

func rec(name, version string, depends ...string) condapkg.Record {
	return condapkg.Record{Index: condapkg.Index{Name: name, Version: version, Depends: depends}}
}

func TestPackages(t *testing.T) {
	d := downstream(t, monorepo)
	both := []string{"linux/amd64", "linux/arm64"}
	shelves := func() (ours, others *shelf) {
		ours = &shelf{url: "https://channels.example/ours", records: map[string][]condapkg.Record{
			"noarch": {rec("lib", "0.9.0"), rec("lib", "1.0.0", "numpy >=1.26", "__linux", "python >=3.11")},
		}}
		others = &shelf{url: "https://channels.example/others", records: map[string][]condapkg.Record{
			"linux-64":      {rec("python", "3.11.7"), rec("numpy", "2.0")},
			"linux-aarch64": {rec("python", "3.11.7"), rec("numpy", "2.0"), rec("special", "1")},
		}}
		return ours, others
	}
	ours, others := shelves()
	said, err := Packages(t.Context(), d, []Channel{ours, others}, both, nil)
	require.NoError(t, err)
	require.Equal(t, "1 pins and 3 names, for linux/amd64 and linux/arm64", said)

	for _, c := range []struct {
		what   string
		change func(ours, others *shelf)
		err    string
	}{
		{"a version that is not published", func(ours, _ *shelf) { ours.records["noarch"] = ours.records["noarch"][:1] }, "lib 1.0.0 is not visible on https://channels.example/ours in repodata.json for linux-64"},
		{"one that not every index shows", func(ours, _ *shelf) { ours.lagging = true }, "lib 1.0.0 is not visible on https://channels.example/ours in shards for linux-64"},
		{"a channel that is not there", func(ours, _ *shelf) { ours.records = nil }, "lib 1.0.0 is not visible on https://channels.example/ours, https://channels.example/others for linux-64"},
		{"a package of one platform only", func(_, others *shelf) { others.records["linux-aarch64"] = others.records["linux-aarch64"][:2] }, "asks for special, and no channel has it for linux-aarch64: https://channels.example/ours, https://channels.example/others"},
		{"what a pinned package asks for", func(_, others *shelf) { others.records["linux-64"] = others.records["linux-64"][:1] }, "lib 1.0.0 asks for numpy, and no channel has it for linux-64"},
		{"a channel that does not answer", func(_, others *shelf) { others.broken = errors.New("no route") }, "asking https://channels.example/others for numpy: no route"},
	} {
		ours, others := shelves()
		c.change(ours, others)
		_, err := Packages(t.Context(), d, []Channel{ours, others}, both, nil)
		require.ErrorContains(t, err, c.err, c.what)
	}
}

func TestTheLockFileHasEveryPlatform(t *testing.T) {
	d := downstream(t, monorepo)
	const lock = `version: 7
environments:
  default:
    packages:
      linux-64:
      - conda: https://channels.example/ours/noarch/lib-1.0.0-pyh4616a5c_0.conda
      - conda: https://channels.example/others/linux-64/python-3.11.7-h0_0.conda
`
	require.NoError(t, locked(d, []byte(lock), "linux-64"))
	require.EqualError(t, locked(d, []byte(lock), "linux-aarch64"), "app/pixi.lock has no environment for linux-aarch64")
	require.EqualError(t, locked(d, []byte(strings.Replace(lock, "lib-1.0.0-", "lib-0.9.0-", 1)), "linux-64"),
		"app/pixi.lock does not have lib 1.0.0 for linux-64, which app/pixi.toml:7:1 pins")
	require.ErrorContains(t, locked(d, []byte("\t"), "linux-64"), "reading app/pixi.lock")
	require.NoError(t, locked(d, nil, "linux-64"))
}

func TestConfig(t *testing.T) {
	c, err := ParseConfig("config.toml", []byte("default-channels = [\"x\"]\n[mirrors]\n\"https://a.example\" = [\"https://m.example/a/\", \"https://other.example\"]\n\"https://a.example/deep\" = [\"https://deep.example\"]\n"))
	require.NoError(t, err)
	for url, want := range map[string]string{
		"https://a.example/ours": "https://m.example/a/ours", "https://a.example/deep/x": "https://deep.example/x", "https://a.example.org/x": "https://a.example.org/x",
		"https://b.example/x": "https://b.example/x",
	} {
		require.Equal(t, want, c.Resolve(url), url)
	}
	c.Mirror("https://b.example/x", "http://127.0.0.1:8080/x")
	require.Equal(t, "http://127.0.0.1:8080/x", c.Resolve("https://b.example/x"))
	text, err := c.Text()
	require.NoError(t, err)
	again, err := ParseConfig("", text)
	require.NoError(t, err)
	require.Equal(t, c, again)

	for _, bad := range []string{"x", "mirrors = 1"} {
		_, err := ParseConfig("config.toml", []byte(bad))
		require.ErrorContains(t, err, "the pixi configuration config.toml")
	}
	empty, err := ParseConfig("", nil)
	require.NoError(t, err)
	text, err = empty.Text()
	require.NoError(t, err)
	require.Empty(t, text)
}
