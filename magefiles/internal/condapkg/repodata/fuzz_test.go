package repodata_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// small has limits that a fuzzer can reach.
var small = repodata.Limits{Size: 1 << 20, Records: 1000, Record: 64 << 10, Strict: true}

// usable checks that the records can be encoded, and decoded without changes.
func usable(t *testing.T, records []condapkg.Record) {
	t.Helper()
	var entries []*repodata.Entry
	for i := range records {
		require.NoError(t, records[i].Safe())
		entries = append(entries, repodata.NewEntry(records[i]))
	}
	repodata.Sort(entries)
	for i := 1; i < len(entries); i++ {
		if entries[i].File == entries[i-1].File {
			return // two names for one file, which are only accepted if no name is requested
		}
	}
	again, err := repodata.Own.Decode(bytes.NewReader(repodata.Encode("noarch", entries)), nil)
	require.NoError(t, err)
	require.Len(t, again, len(records))
	shard, digest := repodata.EncodeShard(entries)
	again, err = repodata.Own.DecodeShard(bytes.NewReader(shard), digest, "")
	require.NoError(t, err)
	require.Len(t, again, len(records))
}

// FuzzRepodata checks that decoding arbitrary bytes either fails or yields usable records, and that one package's records are a subset of all.
func FuzzRepodata(f *testing.F) {
	f.Add(repodata.Encode("noarch", entries(records())))
	for _, text := range []string{
		``, `{}`, `[]`, `null`, `{"packages.conda":null,"removed":null}`, `{"packages.conda":{"a-1-0.conda":{"name":"a","version":"1","build":"0","size":-1}}}`,
		`{"packages":{"a-1-0.tar.bz2":{"name":"a","version":"1","build":"0"}},"removed":["a-1-0.tar.bz2"],"x":[[{}]]}`,
		`{"packages.conda":{"a-1-0.conda":{"name":"../a","version":"1","build":"0"}}}`, `{"packages.conda":{"a-1-0.conda":[]}} {`, `{"removed":[7]}`, `{"x":{"y":`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := small.Decode(bytes.NewReader(data), nil, repodata.TarBz2)
		loose := small
		loose.Strict = false
		some, lerr := loose.Decode(bytes.NewReader(data), nil, repodata.TarBz2)
		if err != nil {
			require.True(t, lerr != nil || errors.Is(err, repodata.ErrLies))
		} else {
			require.NoError(t, lerr)
			require.Equal(t, all, some)
		}
		usable(t, all)
		named, err := small.Decode(bytes.NewReader(data), []string{"a", "a-b"}, repodata.TarBz2)
		if err == nil {
			require.LessOrEqual(t, len(named), len(some))
			for _, r := range named {
				require.Contains(t, []string{"a", "a-b"}, r.Name)
			}
		}
	})
}

// FuzzShards does the same for the sharded form. `data` is a shard, or an index of shards, compressed or not.
func FuzzShards(f *testing.F) {
	shard, digest := repodata.EncodeShard(entries(records()))
	index := repodata.EncodeShards("noarch", map[string]repodata.Digest{"a-b": digest})
	for _, data := range [][]byte{shard, index} {
		f.Add(data)
		var plain bytes.Buffer
		z, err := repodata.Own.Decompress(bytes.NewReader(data))
		require.NoError(f, err)
		_, err = plain.ReadFrom(z)
		require.NoError(f, err)
		f.Add(plain.Bytes())
	}
	for _, text := range []string{"", "\x80", "\xc0", "\x81\xa6shards\xdf\xff\xff\xff\xff", "\x81\xaepackages.conda\x81\xa1x\x81\xa1y\xdd\xff\xff\xff\xff", "\x81\xaepackages.conda\x81\xa1x\x91\x91\x91", "\x81\xa7removed\x91\xc4\x02ab"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, form := range [][]byte{data, repodata.Compress(data)} {
			found, err := small.DecodeShard(bytes.NewReader(form), sha256.Sum256(form), "", repodata.TarBz2)
			if err == nil {
				usable(t, found)
			}
			named, err := small.DecodeShard(bytes.NewReader(form), sha256.Sum256(form), "a-b")
			if err == nil {
				for _, r := range named {
					require.Equal(t, "a-b", r.Name)
				}
			}
			x, err := small.DecodeShards(bytes.NewReader(form))
			if err == nil && x.ShardsBaseURL == "./shards/" && x.BaseURL == "" {
				again, err := repodata.Own.DecodeShards(bytes.NewReader(repodata.EncodeShards(x.Subdir, x.Shards)))
				require.NoError(t, err)
				require.Equal(t, x, again)
			}
		}
	})
}
