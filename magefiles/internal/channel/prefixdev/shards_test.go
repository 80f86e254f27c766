package prefixdev_test

import (
	"bytes"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// shardsOf returns the files of a sharded index for a script, by path. Its shards are at base.
func shardsOf(t *testing.T, base string) map[string][]byte {
	t.Helper()
	const subdir = "/sub/path/demo/noarch/"
	shard, digest := repodata.EncodeShard([]*repodata.Entry{repodata.NewEntry(condapkg.Record{
		Index: condapkg.Index{Name: "a", Version: "1.0", Build: "pyh4616a5c_0", Subdir: "noarch"},
	})})
	var index bytes.Buffer
	require.NoError(t, msgpack.NewEncoder(&index).Encode(map[string]any{
		"info":   map[string]any{"subdir": "noarch", "base_url": "", "shards_base_url": base, "created_at": "2026-01-01T00:00:00Z"},
		"shards": map[string]any{"a": digest[:]},
	}))
	at := path.Join(subdir, base)
	if strings.HasPrefix(base, "/") {
		at = base
	}
	return map[string][]byte{
		subdir + repodata.Shards: repodata.Compress(index.Bytes()),
		path.Join(at, strings.TrimPrefix(digest.File(), repodata.ShardDir)): shard,
	}
}
