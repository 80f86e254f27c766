package repodata

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// ErrLimit is in the chain of an error about an index that is larger, or deeper, than one may be. Reading it again does not
// help.
var ErrLimit = errors.New("a limit for indexes")

// Limits bound what reading an index may cost, whatever it says.
type Limits struct {
	Size    int64 // bytes of one file, unpacked, and what is read of it packed
	Records int   // records of one file, and names in the index of shards
	Record  int64 // bytes of one record

	// Strict refuses an index that lies about a package that is asked for. Otherwise such records are left out, as a
	// channel of many people has some.
	Strict bool
}

var (
	// Own are the limits for the channel that is published to.
	Own = Limits{Size: 64 << 20, Records: 200_000, Record: 1 << 20, Strict: true}

	// Elsewhere are the limits for channels of others. conda-forge's largest repodata.json has about 500 MB.
	Elsewhere = Limits{Size: 1 << 30, Records: 4_000_000, Record: 1 << 20}
)

// deepest is how far values of MessagePack may lie in one another. Those of a record lie three deep.
const deepest = 32

func tooMuch(format string, args ...any) error {
	return &limitError{text: fmt.Sprintf(format, args...)}
}

type limitError struct{ text string }

func (e *limitError) Error() string         { return e.text }
func (*limitError) Is(target error) bool    { return target == ErrLimit }
func (l Limits) bounded(r io.Reader) *meter { return &meter{r: r, most: l.Size, what: "it"} }

// meter is a reader that gives an error, not an end, when there is more than there may be.
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
			return 0, tooMuch("%s has more than %d bytes, which is more than is read", m.what, m.most)
		}
		return 0, err
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.most-m.n)])
	m.n += int64(n)
	return n, err
}

// window is the largest that is accepted: the whole file, or what level 22 of zstd uses.
func (l Limits) window() uint64 { return uint64(min(l.Size, 128<<20)) }

// Decompress is a reader of what a zstd stream holds. The caller closes it.
func (l Limits) Decompress(r io.Reader) (io.ReadCloser, error) {
	// What is read is bounded as well: a stream may go on for ever and hold nothing.
	d, err := zstd.NewReader(l.bounded(r), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(l.window()))
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{l.bounded(d), d.IOReadCloser()}, nil
}
