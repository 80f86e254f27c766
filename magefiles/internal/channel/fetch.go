package channel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Download copies an artifact to a file on this machine, and checks that its bytes are the record's. On an error the
// file at path is what it was before, if it was. No more is written than the record says. Errors: those of Open, and
// ErrInvalid for other bytes.
func Download(ctx context.Context, c Channel, r condapkg.Record, path string) error {
	err := readWhole(ctx, c, r.Subdir, r.FileName(), func(f io.Reader) error {
		w, err := atomicfile.Create(path, 0o644)
		if err != nil {
			return err
		}
		defer w.Abort()
		sum := sha256.New()
		if err := copyAll(io.MultiWriter(w, sum), f, r.Size); err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); got != r.SHA256 {
			return Errorf(ErrInvalid, "what came has sha256 %s, and the index says %s", got, r.SHA256)
		}
		return w.Commit()
	})
	if err != nil {
		return fmt.Errorf("downloading %s: %w", r.FileName(), err)
	}
	return nil
}

// MaxArtifact is the most that is read of an artifact whose size is not known, in bytes: four times what prefix.dev takes.
const MaxArtifact = 4 << 30

// copyAll copies an artifact of so many bytes, or of a size that is not known, which is 0. Errors: ErrInvalid for one that
// has more, and ErrTooLarge.
func copyAll(to io.Writer, from io.Reader, size int64) error {
	most := size
	if most <= 0 {
		most = MaxArtifact
	}
	n, err := io.Copy(to, io.LimitReader(from, most+1))
	switch {
	case err != nil || n <= most:
		return err
	case size > 0:
		return Errorf(ErrInvalid, "it has more than the %d bytes that the index says", size)
	}
	return Errorf(ErrTooLarge, "it has more than %d bytes, which is more than is read", most)
}

// wholeReader is a channel that reads a file from its beginning again where the connection breaks off.
type wholeReader interface {
	ReadWhole(ctx context.Context, subdir, file string, use func(io.Reader) error) error
}

// readWhole gives use what a file holds; use is called again, from the beginning, where the channel can try again.
func readWhole(ctx context.Context, c Channel, subdir, file string, use func(io.Reader) error) error {
	if w, ok := c.(wholeReader); ok {
		return w.ReadWhole(ctx, subdir, file, use)
	}
	f, err := c.Open(ctx, subdir, file)
	if err != nil {
		return err
	}
	defer f.Close()
	return use(f)
}

// Fetch finds one version of a noarch package in the index, the highest build number of it, downloads it into a folder
// below dir that is named after its digest, unless it is there, and returns the file. Errors: ErrNotFound, and those of
// Records and Download.
func Fetch(ctx context.Context, c Channel, name, version, dir string) (string, error) {
	records, err := c.Records(ctx, "noarch", name)
	if err != nil {
		return "", err
	}
	var found *condapkg.Record
	for i, r := range records {
		if r.Version == version && (found == nil || r.BuildNumber > found.BuildNumber) {
			found = &records[i]
		}
	}
	if found == nil {
		return "", Errorf(ErrNotFound, "the channel has no %s %s", name, version)
	}
	if len(found.SHA256) != hex.EncodedLen(sha256.Size) { // it is the name of a folder
		return "", Errorf(ErrInvalid, "the index gives no sha256 of %s", found.FileName())
	}
	path := filepath.Join(dir, found.SHA256, found.FileName())
	if kept, err := condapkg.Identify(path); err == nil && kept.SHA256 == found.SHA256 {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, Download(ctx, c, *found, path)
}

// Holds is the sha256 of what the channel has under a file name, in hex, or "" where it has none. The index is asked
// first; where that does not know the file, the file itself is, since an index may lag behind.
func Holds(ctx context.Context, c Channel, subdir, name, file string) (string, error) {
	records, err := c.Records(ctx, subdir, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return "", err
	}
	for _, r := range records {
		if r.FileName() == file && r.SHA256 != "" {
			return r.SHA256, nil
		}
	}
	sum := sha256.New()
	err = readWhole(ctx, c, subdir, file, func(f io.Reader) error {
		sum.Reset()
		return copyAll(sum, f, 0)
	})
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", file, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
