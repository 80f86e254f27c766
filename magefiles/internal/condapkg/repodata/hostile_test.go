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

// TestHostileRecords checks that an index in any form is rejected if a record's names are paths, or its digests are not digests, because these
// become parts of paths.
func TestHostileRecords(t *testing.T) {
	digest := strings.Repeat("a", 64)
	for name, change := range map[string]map[string]any{
		"build":              {"build": "0/../../../x"},
		"absolute build":     {"build": "/x"},
		"version":            {"version": "../../1"},
		"name":               {"name": "../x"},
		"name with a folder": {"name": "x/y"},
		"backslash":          {"name": `..\x`},
		"no name":            {"name": ""},
		"dots":               {"name": ".."},
		"option":             {"name": "--x"},
		"control":            {"version": "1\n"},
		"subdir":             {"subdir": "../noarch"},
		"unknown subdir":     {"subdir": "etc"},
		"digest":             {"sha256": "../../" + digest[:58]},
		"short digest":       {"sha256": "aa"},
		"md5":                {"md5": "/etc"},
		"size":               {"size": -1},
	} {
		t.Run(name, func(t *testing.T) {
			record := map[string]any{"name": "x", "version": "1", "build": "0", "build_number": 0, "subdir": "noarch", "sha256": digest, "size": 1}
			for _, honest := range []bool{true, false} {
				if !honest {
					for key, value := range change {
						record[key] = value
					}
				}
				index := map[string]any{"packages.conda": map[string]any{"x-1-0.conda": record}}
				text, err := json.Marshal(index)
				require.NoError(t, err)
				packed, err := msgpack.Marshal(index)
				require.NoError(t, err)
				packed = repodata.Compress(packed)
				old, err := json.Marshal(map[string]any{"packages": map[string]any{"x-1-0.tar.bz2": record}})
				require.NoError(t, err)
				for form, read := range map[string]func() ([]condapkg.Record, error){
					"json": func() ([]condapkg.Record, error) { return repodata.Own.Decode(bytes.NewReader(text), nil) },
					"tar.bz2": func() ([]condapkg.Record, error) {
						return repodata.Own.Decode(bytes.NewReader(old), nil, repodata.TarBz2)
					},
					"shard": func() ([]condapkg.Record, error) {
						return repodata.Own.DecodeShard(bytes.NewReader(packed), sha256.Sum256(packed), "")
					},
				} {
					records, err := read()
					if honest {
						require.NoError(t, err, form)
						require.Len(t, records, 1, form)
						continue
					}
					require.ErrorContains(t, err, "is refused", form)
					require.Empty(t, records, form)
				}
			}
		})
	}
}

// TestOldRecords checks that old records are accepted even if today's rules would reject them.
func TestOldRecords(t *testing.T) {
	for _, record := range []map[string]any{
		{"name": "_libgcc_mutex", "version": "0.1", "build": "conda_forge"},
		{"name": "Cython", "version": "1.0.0", "build": "py27_nomkl_1"},
		{"name": "x", "version": "1!2.0+local.1", "build": "0", "subdir": "linux-64"},
		{"name": "x", "version": "2.0~beta", "build": "", "sha256": strings.Repeat("AB", 32)},
	} {
		text, err := json.Marshal(map[string]any{"packages.conda": map[string]any{"x": record}})
		require.NoError(t, err)
		records, err := repodata.Own.Decode(bytes.NewReader(text), nil)
		require.NoError(t, err)
		require.Len(t, records, 1)
	}
}
