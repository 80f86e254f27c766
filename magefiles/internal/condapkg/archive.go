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

// ErrBad is wrapped by every error that is the archive's own fault, as opposed to one of the disk it lies on.
var ErrBad = errors.New("not a usable .conda archive")

// Limits bound what reading an archive may cost, whatever the archive says. All are sizes in bytes before compression.
type Limits struct {
	Info    int64 // everything under info/ together; it is held in memory
	File    int64 // one file of the payload that is asked for by ReadFile
	Payload int64 // the whole payload, when it is walked
	Ratio   int64 // payload per byte of the archive, for what exceeds 256 MiB
	Members int   // files in the archive
	Names   int64 // the paths of all members together, which are held in memory; 0 is 256 MiB
}

// DefaultLimits are generous for a package, and small for a bomb.
var DefaultLimits = Limits{Info: 64 << 20, File: 256 << 20, Payload: 32 << 30, Ratio: 1000, Members: 1 << 20}

// Archive is an opened .conda file. What lies under info/ was read when it was opened; the payload is read when it is
// asked for. An Archive may not be used by two goroutines at a time.
type Archive struct {
	limits Limits
	size   int64
	stem   string
	info   map[string][]byte // by path in the archive
	index  Index
	pkg    *zip.File
	close  func() error
}

// Open opens an archive on the disk, within DefaultLimits. Its errors wrap ErrBad, or are the file system's.
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

// New opens an archive of size bytes that r reads.
func New(r io.ReaderAt, size int64, l Limits) (*Archive, error) {
	list := &listing{r: r, left: maxListing}
	z, err := zip.NewReader(list, size)
	if err != nil {
		return nil, bad("it is no zip file: %v", err)
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

// maxListing is what is read of the zip to learn what is in it, in bytes. A package has three entries; a gigabyte of entries
// would be held in memory before they can be counted.
const maxListing = 4 << 20

// listing is a reader of a zip file that gives an error where its list of entries is too long.
type listing struct {
	r    io.ReaderAt
	left int64
	read bool // the list was read, and what is in the entries has limits of its own
}

func (l *listing) ReadAt(p []byte, off int64) (int, error) {
	if !l.read {
		if l.left -= int64(len(p)); l.left < 0 {
			return 0, errors.New("its list of entries is too long")
		}
	}
	return l.r.ReadAt(p, off)
}

// Close closes the file that Open opened.
func (a *Archive) Close() error { return a.close() }

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrBad, fmt.Errorf(format, args...))
}

// parts finds the two tars among the entries of the zip.
func (a *Archive) parts(z *zip.Reader) (info *zip.File, err error) {
	if len(z.File) > 64 {
		return nil, bad("the zip has %d entries instead of three", len(z.File))
	}
	for _, f := range z.File {
		kind, stem, ok := part(f.Name)
		if !ok {
			continue // metadata.json, which has nothing to tell, and whatever a later format adds
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

// part takes the name of a zip entry apart: pkg-<stem>.tar.zst or info-<stem>.tar.zst.
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

// Index is the package's info/index.json.
func (a *Archive) Index() Index { return a.index }

// Stem is the name-version-build that the entries of the zip bear; [Archive.Check] compares it with the index.
func (a *Archive) Stem() string { return a.stem }

// Files lists the path of every file in the archive, info/ and payload, sorted.
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

// ReadFile returns the contents of one regular file, under info/ or in the payload; the error is fs.ErrNotExist where
// there is none of that path.
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
			return bad("%s has %d bytes, more than the %d that are read at once", path, h.Size, a.limits.File)
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

// Walk calls f for every member of the payload in the order of the archive, until f returns an error. Names were
// checked: relative, clean, inside the package. The reader is good until f returns.
func (a *Archive) Walk(f func(h *tar.Header, r io.Reader) error) error {
	most := min(a.limits.Payload, max(256<<20, a.limits.Ratio*a.size))
	return a.eachMember(a.pkg, most, func(h *tar.Header, r io.Reader) error {
		if h.Name == "info" || strings.HasPrefix(h.Name, "info/") {
			return bad("the payload has %.120q, which would replace what the package says of itself", h.Name)
		}
		return f(h, r)
	})
}
