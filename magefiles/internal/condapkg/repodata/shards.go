package repodata

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Digest is the sha256 of a compressed shard, by which the index refers to it.
type Digest [sha256.Size]byte

// File returns the path of a shard in its subdir.
func (d Digest) File() string { return ShardDir + hex.EncodeToString(d[:]) + ShardExt }

// EncodeShard encodes and compresses the sorted entries of a package as a shard, and returns it with its digest.
func EncodeShard(entries []*Entry) ([]byte, Digest) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	must(e.EncodeMapLen(3))
	must(e.EncodeString("packages"))
	must(e.EncodeMapLen(0)) // clients require this key, although only .tar.bz2 packages use it
	must(e.EncodeString("packages.conda"))
	must(e.EncodeMapLen(len(entries)))
	for _, x := range entries {
		must(e.EncodeString(x.File))
		encodeRecord(e, x.Record)
	}
	must(e.EncodeString("removed"))
	must(e.EncodeArrayLen(0))
	shard := Compress(b.Bytes())
	return shard, sha256.Sum256(shard)
}

// encodeRecord encodes a record as a map with sorted keys, and with digests as bytes instead of hex.
func encodeRecord(e *msgpack.Encoder, r condapkg.Record) {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(r.JSON()))
	d.UseNumber()
	must(d.Decode(&m))
	for _, key := range []string{"md5", "sha256", "attestations_sha256"} {
		if s, ok := m[key].(string); ok {
			if sum, err := hex.DecodeString(s); err == nil {
				m[key] = sum
			}
		}
	}
	encodeValue(e, m)
}

// encodeValue encodes a value that encoding/json has decoded with UseNumber. Integers remain integers, and maps are sorted.
func encodeValue(e *msgpack.Encoder, v any) {
	switch v := v.(type) {
	case map[string]any:
		must(e.EncodeMapLen(len(v)))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			must(e.EncodeString(key))
			encodeValue(e, v[key])
		}
	case []any:
		must(e.EncodeArrayLen(len(v)))
		for _, x := range v {
			encodeValue(e, x)
		}
	case json.Number:
		if i, err := v.Int64(); err == nil {
			must(e.EncodeInt(i))
			return
		}
		f, _ := v.Float64() // a huge number overflows to infinity, but only in a field that no client reads
		must(e.EncodeFloat64(f))
	default: // nil, bool, string, []byte
		must(e.Encode(v))
	}
}

// EncodeShards encodes the index of shards, which maps each package name to its shard's digest.
func EncodeShards(subdir string, shards map[string]Digest) []byte {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	must(e.EncodeMapLen(2))
	must(e.EncodeString("info"))
	must(e.EncodeMapLen(3))
	for _, kv := range [][2]string{{"subdir", subdir}, {"base_url", ""}, {"shards_base_url", "./" + ShardDir}} {
		must(e.EncodeString(kv[0]))
		must(e.EncodeString(kv[1]))
	}
	must(e.EncodeString("shards"))
	must(e.EncodeMapLen(len(shards)))
	for _, name := range slices.Sorted(maps.Keys(shards)) {
		digest := shards[name]
		must(e.EncodeString(name))
		must(e.EncodeBytes(digest[:]))
	}
	return Compress(b.Bytes())
}

// `must` panics on an error, which cannot occur when writing to memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// ShardIndex is the content of a repodata_shards.msgpack.zst.
type ShardIndex struct {
	Subdir        string
	BaseURL       string // URL of the artifacts, relative to the subdir's URL
	ShardsBaseURL string // URL of the shards, relative to the subdir's URL
	Shards        map[string]Digest
}
