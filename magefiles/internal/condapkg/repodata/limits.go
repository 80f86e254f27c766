package repodata

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// ErrLimit is in the chain of an error about an index that is too large or too deeply nested. Retrying does not help.
var ErrLimit = errors.New("a limit for indexes")

// Limits bounds the resources for decoding an untrusted index.
type Limits struct {
	Size    int64 // bytes of one file, both compressed and uncompressed
	Records int   // records per file, and names in the index of shards
	Record  int64 // bytes per record

	// Strict rejects an index with an invalid record of a requested package. Otherwise, invalid records are skipped, because large public channels
	// contain some.
	Strict bool
}

var (
	// Own is for the channel that we publish to.
	Own = Limits{Size: 64 << 20, Records: 200_000, Record: 1 << 20, Strict: true}

	// Elsewhere is for other channels. conda-forge's largest repodata.json has about 500 MB.
	Elsewhere = Limits{Size: 1 << 30, Records: 4_000_000, Record: 1 << 20}
)

// deepest limits the nesting of MessagePack values. Records have a depth of three.
const deepest = 32

func tooMuchError(format string, args ...any) error {
	return &limitError{text: fmt.Sprintf(format, args...)}
}

type limitError struct{ text string }

func (e *limitError) Error() string             { return e.text }
func (*limitError) Is(target error) bool        { return target == ErrLimit }
func (l Limits) limitReader(r io.Reader) *meter { return &meter{r: r, most: l.Size, what: "it"} }

// meter is a reader that returns an error instead of io.EOF if the input exceeds the limit.
type meter struct {
	r    io.Reader
	n    int64 // bytes read
	most int64
	what string
}

func (m *meter) Read(p []byte) (int, error) {
	if m.n >= m.most {
		var one [1]byte
		n, err := m.r.Read(one[:])
		if n > 0 {
			return 0, tooMuchError("%s is larger than the limit of %d bytes", m.what, m.most)
		}
		return 0, err
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.most-m.n)])
	m.n += int64(n)
	return n, err
}

// window returns the largest supported window: the size of the whole file, but at most the window of zstd level 22.
func (l Limits) window() uint64 { return uint64(min(l.Size, 128<<20)) }

// Decompress returns a reader that decompresses a zstd stream. The caller must close it.
func (l Limits) Decompress(r io.Reader) (io.ReadCloser, error) {
	// The compressed input is limited too, because a stream can be endless without containing any data.
	d, err := zstd.NewReader(l.limitReader(r), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(l.window()))
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{l.limitReader(d), d.IOReadCloser()}, nil
}
