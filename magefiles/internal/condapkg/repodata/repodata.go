// Package repodata encodes and decodes the index of a subdir, in the forms that clients read: repodata.json, and the sharded form, which has one
// small file per package name and an index of these files (CEP 16).
//
// Encoding follows rattler_index 0.28, and decoding follows rattler_repodata_gateway (prefix-protocol.md §4.4).
package repodata

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// File names of an index in its subdir.
const (
	JSON     = "repodata.json"
	JSONZst  = "repodata.json.zst"
	Shards   = "repodata_shards.msgpack.zst"
	ShardDir = "shards/"      // prefix of a shard's path, followed by the compressed shard's sha256 in hex
	ShardExt = ".msgpack.zst" // suffix of a shard's path
)

// Entry is a record with its JSON, which is cached so that a change does not encode all records of an index again.
type Entry struct {
	File   string // the artifact's name
	Record condapkg.Record
	JSON   []byte
}

// NewEntry encodes a record.
func NewEntry(r condapkg.Record) *Entry { return &Entry{File: r.FileName(), Record: r, JSON: r.JSON()} }

// Sort sorts entries by file name, which is the order of an index.
func Sort(entries []*Entry) {
	slices.SortFunc(entries, func(a, b *Entry) int { return cmp.Compare(a.File, b.File) })
}

// Encode encodes sorted entries as a repodata.json.
func Encode(subdir string, entries []*Entry) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"info":{"subdir":%q},"packages":{},"packages.conda":{`, subdir)
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n%q:", e.File)
		b.Write(e.JSON)
	}
	b.WriteString("},\"repodata_version\":1}\n")
	return b.Bytes()
}

// Format is an archive format other than .conda.
type Format int

// TarBz2 is the predecessor of .conda. Solvers accept both.
const TarBz2 Format = iota + 1

// sortedRecords returns the records sorted by file name.
func sortedRecords(m map[string]condapkg.Record) []condapkg.Record {
	records := make([]condapkg.Record, 0, len(m))
	for _, file := range slices.Sorted(maps.Keys(m)) {
		records = append(records, m[file])
	}
	return records
}

// Compress compresses an index file with zstd, reproducibly, as a single frame that states its size.
func Compress(data []byte) []byte { return encoder.EncodeAll(data, nil) }

// encoder compresses whole buffers. It is safe for concurrent use.
var encoder = func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		panic(err) // only possible with invalid options
	}
	return e
}()
