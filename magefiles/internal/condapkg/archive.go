package condapkg

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// ErrBad is in the chain of every error about an archive's content, but not of I/O errors.
var ErrBad = errors.New("not a usable .conda archive")

// Limits bounds the resources for reading an untrusted archive. All sizes are in bytes of uncompressed data.
type Limits struct {
	Info    int64 // total size of info/, which is held in memory
	File    int64 // one payload file that is read with ReadFile
	Payload int64 // total size of the payload, for Walk
	Ratio   int64 // compression ratio of the payload, if it exceeds 256 MiB
	Members int   // number of files in the archive
	Names   int64 // total length of all paths, which are held in memory; 0 means 256 MiB
}

// DefaultLimits is generous for packages, but protects against zip bombs.
var DefaultLimits = Limits{Info: 64 << 20, File: 256 << 20, Payload: 32 << 30, Ratio: 1000, Members: 1 << 20}

// Archive is an open .conda file. Open reads everything under info/. The payload is read on demand. An Archive is not safe for concurrent use.
type Archive struct {
	limits Limits
	size   int64
	stem   string
	info   map[string][]byte // by path in the archive
	index  Index
	pkg    *zip.File
	close  func() error
}

// Open opens an archive on disk with DefaultLimits. Its errors wrap ErrBad, or come from the file system.
func Open(path string) (*Archive, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	a, err := openFile(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	a.close = f.Close
	return a, nil
}

func openFile(f *os.File) (*Archive, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return New(f, st.Size(), DefaultLimits)
}

// New opens an archive with the given size, which is read from r.
func New(r io.ReaderAt, size int64, l Limits) (*Archive, error) {
	list := &listing{r: r, left: maxListing}
	z, err := zip.NewReader(list, size)
	if err != nil {
		return nil, bad("it is not a zip file: %v", err)
	}
	list.read = true
	a := &Archive{limits: l, size: size, close: func() error { return nil }}
	info, err := a.parts(z)
	if err != nil {
		return nil, err
	}
	if err := a.readInfo(info); err != nil {
		return nil, err
	}
	if _, ok := a.info["info/index.json"]; !ok {
		return nil, bad("info/index.json is missing")
	}
	if err := a.readJSON("info/index.json", &a.index); err != nil {
		return nil, err
	}
	if err := a.index.safe(); err != nil {
		return nil, bad("info/index.json: %v", err)
	}
	return a, nil
}

// maxListing limits how many bytes of the zip are read to find its entries. A package has three entries, but a malicious one could have a gigabyte
// of entries, which would be held in memory before they could be counted.
const maxListing = 4 << 20

// listing reads a zip file. It returns an error if the list of entries is too long.
type listing struct {
	r    io.ReaderAt
	left int64
	read bool // the list has been read; the entries' content has other limits
}

func (l *listing) ReadAt(p []byte, off int64) (int, error) {
	if !l.read {
		if l.left -= int64(len(p)); l.left < 0 {
			return 0, errors.New("the zip's list of entries is longer than the limit")
		}
	}
	return l.r.ReadAt(p, off)
}

// Close closes the file opened by Open.
func (a *Archive) Close() error { return a.close() }

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBad, fmt.Errorf(format, args...))
}

// `parts` finds the two tar entries in the zip.
func (a *Archive) parts(z *zip.Reader) (info *zip.File, err error) {
	if len(z.File) > 64 {
		return nil, bad("the zip has %d entries instead of three", len(z.File))
	}
	for _, f := range z.File {
		kind, stem, ok := part(f.Name)
		if !ok {
			continue // metadata.json, which has no further information, or an addition of a later format
		}
		if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 {
			return nil, bad("%.120q is compressed in the zip; entries of a .conda archive are stored", f.Name)
		}
		to := &a.pkg
		if kind == "info" {
			to, a.stem = &info, stem
		}
		if *to != nil {
			return nil, bad("there are two %s-….tar.zst in the zip", kind)
		}
		*to = f
	}
	switch {
	case info == nil:
		return nil, bad("info-….tar.zst is missing in the zip")
	case a.pkg == nil:
		return nil, bad("pkg-….tar.zst is missing in the zip")
	}
	return info, nil
}

// part parses the name of a zip entry: pkg-<stem>.tar.zst or info-<stem>.tar.zst.
func part(name string) (kind, stem string, ok bool) {
	kind, rest, _ := strings.Cut(name, "-")
	stem, ok = strings.CutSuffix(rest, ".tar.zst")
	return kind, stem, ok && (kind == "info" || kind == "pkg")
}

func (a *Archive) readInfo(f *zip.File) error {
	a.info = map[string][]byte{}
	left := a.limits.Info
	return a.eachMember(f, a.limits.Info, func(h *tar.Header, r io.Reader) error {
		if !strings.HasPrefix(h.Name, "info/") {
			return bad("the info tar has %.120q, which is not under info/", h.Name)
		}
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		data, err := io.ReadAll(io.LimitReader(r, left))
		left -= int64(len(data))
		a.info[h.Name] = data
		return err
	})
}

// Index returns the package's info/index.json.
func (a *Archive) Index() Index { return a.index }

// Stem returns the name-version-build in the zip entries' names. [Archive.Check] compares it with the index.
func (a *Archive) Stem() string { return a.stem }

// Files returns the sorted paths of all files in the archive, in info/ and the payload.
func (a *Archive) Files() ([]string, error) {
	var paths []string
	for path := range a.info {
		paths = append(paths, path)
	}
	err := a.Walk(func(h *tar.Header, _ io.Reader) error {
		if h.Typeflag != tar.TypeDir {
			paths = append(paths, h.Name)
		}
		return nil
	})
	slices.Sort(paths)
	return paths, err
}

// ReadFile returns the contents of a regular file in info/ or the payload. If it does not exist, the error is fs.ErrNotExist.
func (a *Archive) ReadFile(path string) ([]byte, error) {
	if data, ok := a.info[path]; ok {
		return data, nil
	}
	var data []byte
	found := errors.New("found")
	err := a.Walk(func(h *tar.Header, r io.Reader) error {
		if h.Name != path || h.Typeflag != tar.TypeReg {
			return nil
		}
		if h.Size > a.limits.File {
			return bad("%s has %d bytes, more than the limit of %d", path, h.Size, a.limits.File)
		}
		var err error
		if data, err = io.ReadAll(r); err != nil {
			return bad("reading %s: %v", path, err)
		}
		return found
	})
	switch {
	case errors.Is(err, found):
		return data, nil
	case err != nil:
		return nil, err
	}
	return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrNotExist}
}

// Walk calls f for each member of the payload, in archive order, until f returns an error. Names have been validated: they are relative, clean, and
// inside the package. The reader is only valid during the call.
func (a *Archive) Walk(f func(h *tar.Header, r io.Reader) error) error {
	most := min(a.limits.Payload, max(256<<20, a.limits.Ratio*a.size))
	return a.eachMember(a.pkg, most, func(h *tar.Header, r io.Reader) error {
		if h.Name == "info" || strings.HasPrefix(h.Name, "info/") {
			return bad("the payload has %.120q, which would replace metadata of the package", h.Name)
		}
		return f(h, r)
	})
}
