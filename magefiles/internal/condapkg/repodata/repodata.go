// Package repodata is the index of a subdir in the forms that clients read: repodata.json, and the sharded form, which
// is one small file per package name and one that lists them (CEP 16). It turns records into those files and back.
//
// The files are written as rattler_index 0.28 writes them, and read as rattler_repodata_gateway reads them
// (prefix-protocol.md §4.4).
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

// The files of an index, by their names in a subdir.
const (
	JSON     = "repodata.json"
	JSONZst  = "repodata.json.zst"
	Shards   = "repodata_shards.msgpack.zst"
	ShardDir = "shards/"      // before the sha256 of the compressed shard, in hex
	ShardExt = ".msgpack.zst" // behind it
)

// Entry is a record with the JSON it is written as, so that an index of many records need not be encoded anew for each
// change.
type Entry struct {
	File   string // the artifact's name
	Record condapkg.Record
	JSON   []byte
}

// NewEntry encodes a record.
func NewEntry(r condapkg.Record) *Entry { return &Entry{File: r.FileName(), Record: r, JSON: r.JSON()} }

// Sort puts entries into the order of an index: by file name.
func Sort(entries []*Entry) {
	slices.SortFunc(entries, func(a, b *Entry) int { return cmp.Compare(a.File, b.File) })
}

// Encode writes a repodata.json of sorted entries.
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

// Format is one of the formats of archives that an index may tell of, beside .conda.
type Format int

// TarBz2 is the format before .conda: solvers take packages in it too.
const TarBz2 Format = iota + 1

// sorted gives the records in the order of the file names they stand under.
func sorted(m map[string]condapkg.Record) []condapkg.Record {
	records := make([]condapkg.Record, 0, len(m))
	for _, file := range slices.Sorted(maps.Keys(m)) {
		records = append(records, m[file])
	}
	return records
}

// Compress compresses an index file as zstd, in one frame with its size. The same data gives the same bytes.
func Compress(data []byte) []byte { return encoder.EncodeAll(data, nil) }

// encoder compresses whole buffers, which it may do for several goroutines at a time.
var encoder = func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedDefault))
	if err != nil {
		panic(err) // only wrong options can cause it
	}
	return e
}()
