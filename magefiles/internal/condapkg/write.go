package condapkg

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Member is a file to write into an archive: a regular file, or a symlink if Link is set.
type Member struct {
	Path string      // in the archive, such as "info/index.json" or "site-packages/a/__init__.py"
	Mode fs.FileMode // permission bits, reduced to 0755 (executable) or 0644
	Data []byte
	Link string // target of a symlink, relative to its folder
}

// Container is the content of an archive.
type Container struct {
	Stem  string    // name-version-build
	Info  []Member  // everything under info/
	Files []Member  // the payload
	Time  time.Time // modification time of all files, in whole seconds
	Level int       // zstd level, 1 to 22; 0 means zstd's default, 3
}

// Write writes a .conda archive (prefix-protocol.md §7.1: rattler_package_streaming, write.rs). The output is reproducible: members are sorted,
// owned by root, and have the same time, and the compressor is single-threaded and records sizes in its frames. The zip's entries are uncompressed,
// with sizes before the data, so that the zip can be read as a stream.
func Write(w io.Writer, c Container) error {
	info, err := tarZst(c.Info, c, true)
	if err != nil {
		return err
	}
	files, err := tarZst(c.Files, c, false)
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, e := range []struct {
		name string
		data []byte
	}{
		{"metadata.json", []byte(`{"conda_pkg_format_version":2}`)},
		{"pkg-" + c.Stem + ".tar.zst", files},
		{"info-" + c.Stem + ".tar.zst", info}, // last, so that info can be read from the end of the file
	} {
		if err := store(z, e.name, e.data, c.Time); err != nil {
			return err
		}
	}
	return z.Close()
}

// store adds an uncompressed entry with its size and checksum before the data. zip.Writer.Create would put them after the data, and a streaming
// reader could not find the end of the entry.
func store(z *zip.Writer, name string, data []byte, t time.Time) error {
	h := &zip.FileHeader{
		Name:               name,
		Method:             zip.Store,
		CRC32:              crc32.ChecksumIEEE(data),
		CompressedSize64:   uint64(len(data)),
		UncompressedSize64: uint64(len(data)),
	}
	//lint:ignore SA1019 CreateRaw writes these two fields unchanged, and ignores Modified
	h.ModifiedDate, h.ModifiedTime = dosTime(t)
	h.SetMode(0o644)
	e, err := z.CreateRaw(h)
	if err != nil {
		return err
	}
	_, err = e.Write(data)
	return err
}

// dosTime converts t to the zip format's time, which is in UTC here, with a precision of two seconds and a range from 1980 to 2107.
func dosTime(t time.Time) (date, clock uint16) {
	t = t.UTC()
	if t.Year() < 1980 || t.Year() > 2107 {
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	date = uint16(t.Day() + int(t.Month())<<5 + (t.Year()-1980)<<9)
	return date, uint16(t.Second()/2 + t.Minute()<<5 + t.Hour()<<11)
}

func tarZst(members []Member, c Container, info bool) ([]byte, error) {
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Path, b.Path) })
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	for i, m := range members {
		if i > 0 && members[i-1].Path == m.Path {
			return nil, fmt.Errorf("the path %q occurs twice", m.Path)
		}
		if strings.HasPrefix(m.Path, "info/") != info {
			return nil, fmt.Errorf("the path %q is in the wrong part of the archive: info/ is only for metadata of the package", m.Path)
		}
		if err := add(t, m, c.Time); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return compress(b.Bytes(), c.Level)
}

func add(t *tar.Writer, m Member, when time.Time) error {
	h := &tar.Header{
		Format:   tar.FormatGNU,
		Typeflag: tar.TypeReg,
		Name:     m.Path,
		Size:     int64(len(m.Data)),
		Mode:     0o644,
		ModTime:  when.Truncate(time.Second),
	}
	if m.Mode&0o111 != 0 {
		h.Mode = 0o755
	}
	if m.Link != "" {
		h.Typeflag, h.Linkname, h.Size, h.Mode = tar.TypeSymlink, m.Link, 0, 0o777
		if len(m.Data) > 0 {
			return fmt.Errorf("%s is a link, but has contents", m.Path)
		}
	}
	if err := checkMember(h); err != nil {
		return err
	}
	if err := t.WriteHeader(h); err != nil {
		return fmt.Errorf("%s: %w", m.Path, err)
	}
	_, err := t.Write(m.Data)
	return err
}

func compress(data []byte, level int) ([]byte, error) {
	if level == 0 {
		level = 3
	}
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(level)))
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.EncodeAll(data, nil), nil
}

// linkTarget returns a symlink's target as a path in the archive.
func linkTarget(m Member) string { return path.Join(path.Dir(m.Path), m.Link) }
