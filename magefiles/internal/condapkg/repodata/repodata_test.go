package repodata_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

func records() (rs []condapkg.Record) {
	for _, version := range []string{"1.0", "2.0"} {
		rs = append(rs, condapkg.Record{
			Index: condapkg.Index{
				Name:      "a-b",
				Version:   version,
				Build:     "py_0",
				Depends:   []string{"python >=3.11,<3.14"},
				Subdir:    "noarch",
				Noarch:    condapkg.NoarchPython,
				Timestamp: 1767323046000,
				License:   "BSD-3-Clause",
				Extra:     map[string]json.RawMessage{"x": json.RawMessage(`{"big":12345678901234567,"f":1.5,"n":[null,true]}`)},
			},
			MD5:    "d41d8cd98f00b204e9800998ecf8427e",
			SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			Size:   17,
		})
	}
	return rs
}

func entries(rs []condapkg.Record) (es []*repodata.Entry) {
	for _, r := range rs {
		es = append(es, repodata.NewEntry(r))
	}
	repodata.Sort(es)
	return es
}

// `same` compares records by their JSON, because the whitespace in Extra may differ.
func same(t *testing.T, want, got []condapkg.Record) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.JSONEq(t, string(want[i].JSON()), string(got[i].JSON()))
	}
}

func TestRepodataRoundTrip(t *testing.T) {
	data := repodata.Encode("noarch", entries(records()))
	require.True(t, json.Valid(data))
	got, err := repodata.Own.Decode(bytes.NewReader(data), nil)
	require.NoError(t, err)
	same(t, records(), got)

	z, err := repodata.Own.Decompress(bytes.NewReader(repodata.Compress(data)))
	require.NoError(t, err)
	got, err = repodata.Own.Decode(z, nil)
	require.NoError(t, err)
	same(t, records(), got)
}

func TestShardsRoundTrip(t *testing.T) {
	shard, digest := repodata.EncodeShard(entries(records()))
	again, _ := repodata.EncodeShard(entries(records()))
	require.Equal(t, shard, again, "content-addressed: the same records give the same bytes")
	got, err := repodata.Own.DecodeShard(bytes.NewReader(shard), digest, "")
	require.NoError(t, err)
	same(t, records(), got)
	_, err = repodata.Own.DecodeShard(bytes.NewReader(shard), repodata.Digest{}, "")
	require.ErrorContains(t, err, ", found ")

	index := repodata.EncodeShards("noarch", map[string]repodata.Digest{"a-b": digest})
	x, err := repodata.Own.DecodeShards(bytes.NewReader(index))
	require.NoError(t, err)
	require.Equal(t, repodata.ShardIndex{
		Subdir:        "noarch",
		BaseURL:       "",
		ShardsBaseURL: "./shards/",
		Shards:        map[string]repodata.Digest{"a-b": digest},
	}, x)
}

func TestAnEmptySubdir(t *testing.T) {
	got, err := repodata.Own.Decode(bytes.NewReader(repodata.Encode("linux-64", nil)), nil)
	require.NoError(t, err)
	require.Empty(t, got)
	x, err := repodata.Own.DecodeShards(bytes.NewReader(repodata.EncodeShards("linux-64", nil)))
	require.NoError(t, err)
	require.Empty(t, x.Shards)
}

func TestBrokenIndexes(t *testing.T) {
	for _, data := range []string{"", "{", "[]", "\x28\xb5\x2f\xfd"} {
		_, err := repodata.Own.Decode(bytes.NewReader([]byte(data)), nil)
		require.Error(t, err, data)
		_, err = repodata.Own.DecodeShards(bytes.NewReader([]byte(data)))
		require.Error(t, err, data)
		_, err = repodata.Own.DecodeShard(bytes.NewReader([]byte(data)), repodata.Digest{}, "")
		require.Error(t, err, data)
	}
}

func TestRemovedFilesAreLeftOut(t *testing.T) {
	got, err := repodata.Own.Decode(bytes.NewReader([]byte(
		`{"packages.conda":{"a-1-0.conda":{"name":"a","version":"1","build":"0"}},"removed":["a-1-0.conda"]}`)), nil)
	require.NoError(t, err)
	require.Empty(t, got)
}

// Packages in the older format are returned only on request.
func TestOlderFormat(t *testing.T) {
	const index = `{"packages":{"a-1-0.tar.bz2":{"name":"a","version":"1","build":"0"},"b-1-0.tar.bz2":{"name":"b","version":"1","build":"0"}},` +
		`"packages.conda":{"a-2-0.conda":{"name":"a","version":"2","build":"0"}},"removed":["b-1-0.tar.bz2"]}`
	versions := func(records []condapkg.Record, err error) (found []string) {
		require.NoError(t, err)
		for _, r := range records {
			found = append(found, r.Name+" "+r.Version)
		}
		return found
	}
	require.Equal(t, []string{"a 2"}, versions(repodata.Own.Decode(strings.NewReader(index), nil)))
	require.Equal(t, []string{"a 1", "a 2"}, versions(repodata.Own.Decode(strings.NewReader(index), nil, repodata.TarBz2)))

	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(index), &fields))
	text, err := msgpack.Marshal(fields)
	require.NoError(t, err)
	shard := repodata.Compress(text)
	digest := repodata.Digest(sha256.Sum256(shard))
	require.Equal(t, []string{"a 2"}, versions(repodata.Own.DecodeShard(bytes.NewReader(shard), digest, "")))
	require.Equal(t, []string{"a 1", "a 2"}, versions(repodata.Own.DecodeShard(bytes.NewReader(shard), digest, "", repodata.TarBz2)))
}
