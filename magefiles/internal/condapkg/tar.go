package condapkg

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// mostPath limits the length of a path, in bytes. No operating system supports longer paths, and all parent folders of a path are kept in memory.
const mostPath = 4096

// maxWindow is the largest supported zstd window: that of level 22, the highest level in conda's tools.
const maxWindow = 128 << 20

// decoders is a pool of zstd decoders, because creating one takes longer than reading a small package.
var decoders = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(2*maxWindow))
	if err != nil {
		panic(err) // only possible with invalid options
	}
	return d
}}

// eachMember reads a tar.zst entry of the zip and calls `f` for each member, with its name cleaned and validated. `most` limits the sum of the
// members' declared sizes.
func (a *Archive) eachMember(entry *zip.File, most int64, f func(*tar.Header, io.Reader) error) error {
	raw, err := entry.Open()
	if err != nil {
		return bad("%.120q: %v", entry.Name, err)
	}
	defer raw.Close()
	z := decoders.Get().(*zstd.Decoder)
	defer func() { z.Reset(nil); decoders.Put(z) }()
	if err := z.Reset(raw); err != nil {
		return bad("%.120q: %v", entry.Name, err)
	}
	// The reader is limited in order to bound the headers. The members' sizes are added up before reading them.
	t := tar.NewReader(&cut{r: z, left: most + most/8 + 1<<20})
	seen, names := map[string]bool{}, a.limits.Names
	if names == 0 {
		names = 256 << 20
	}
	l := layout{kinds: map[string]byte{}, links: map[string]string{}}
	for {
		h, err := t.Next()
		if err == io.EOF {
			return l.checkLinks()
		}
		if err != nil {
			return bad("%.120q: %v", entry.Name, err)
		}
		if most -= h.Size; h.Size < 0 || most < 0 {
			return bad("%.120q is larger than the limit when unpacked", entry.Name)
		}
		if err := checkMember(h); err != nil {
			return err
		}
		if seen[h.Name] && h.Typeflag != tar.TypeDir {
			return bad("the path %.120q occurs twice in the archive", h.Name)
		}
		if seen[h.Name] = true; len(seen) > a.limits.Members {
			return bad("it has more than %d members", a.limits.Members)
		}
		if names -= int64(len(h.Name) + len(h.Linkname)); names < 0 {
			return bad("the total length of all paths in the archive exceeds the limit")
		}
		if err := l.add(h); err != nil {
			return err
		}
		if len(l.kinds) > 2*a.limits.Members {
			return bad("it has more than %d members and folders", 2*a.limits.Members)
		}
		if err := f(h, t); err != nil {
			return err
		}
	}
}

// checkMember cleans a member's name, and rejects one that would be written outside the destination folder.
func checkMember(h *tar.Header) error {
	if len(h.Name) > mostPath || len(h.Linkname) > mostPath {
		return bad("the path %.120q is longer than any system allows", h.Name)
	}
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if !local(name) {
		return bad("the path %.120q leaves the package", h.Name)
	}
	h.Name = name
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeDir:
	case tar.TypeSymlink:
		if path.IsAbs(h.Linkname) || !local(path.Join(path.Dir(name), h.Linkname)) {
			return bad("the link %.120q points out of the package, to %.120q", name, h.Linkname)
		}
	case tar.TypeLink:
		if !local(strings.TrimPrefix(h.Linkname, "./")) {
			return bad("the link %.120q points out of the package, to %.120q", name, h.Linkname)
		}
	default:
		return bad("%.120q is a special file (tar type %q)", name, h.Typeflag)
	}
	return nil
}

// local reports whether a path is relative, clean, and inside its folder, on every platform.
func local(p string) bool {
	if p == "" || p == "." || path.IsAbs(p) || path.Clean(p) != p || strings.ContainsAny(p, "\\\x00") {
		return false
	}
	drive := len(p) > 1 && p[1] == ':'
	return !drive && p != ".." && !strings.HasPrefix(p, "../")
}

// cut is a reader that returns an error instead of io.EOF if the input exceeds the limit.
type cut struct {
	r    io.Reader
	left int64
}

var errCut = errors.New("it is larger than the limit when unpacked")

func (c *cut) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errCut
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}
