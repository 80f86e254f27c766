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
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Download downloads an artifact to path and verifies it against the record. It never writes more bytes than the record's size. If it fails, it
// does not change the file at path. Errors: the errors of Open, and ErrInvalid if the bytes do not match.
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
			return Errorf(ErrInvalid, "the downloaded file has sha256 %s, but the index has %s", got, r.SHA256)
		}
		return w.Commit()
	})
	if err != nil {
		return fmt.Errorf("downloading %s: %w", r.FileName(), err)
	}
	return nil
}

// MaxArtifact is the maximum number of bytes that are read from an artifact of unknown size. It is four times prefix.dev's upload limit.
const MaxArtifact = 4 << 30

// copyAll copies an artifact of the given size, or of unknown size if size is 0. Errors: ErrInvalid if the artifact is larger than size, or
// ErrTooLarge if its size is unknown and the artifact is larger than MaxArtifact.
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
		return Errorf(ErrInvalid, "the file is longer than the %d bytes in the index", size)
	}
	return Errorf(ErrTooLarge, "the file is longer than the limit of %d bytes", most)
}

// wholeReader is a channel that rereads a file from the beginning if the connection fails.
type wholeReader interface {
	ReadWhole(ctx context.Context, subdir, file string, use func(io.Reader) error) error
}

// readWhole calls `use` with the contents of a file. If the channel retries the read, readWhole calls `use` again, with the contents from the
// beginning.
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

// Fetch looks up a version of a noarch package in the index, and downloads the build with the highest build number. It returns the path of the
// file, which is in a subfolder of dir named after the digest. If the file is already there, nothing is downloaded. Errors: ErrNotFound, and the
// errors of Records and Download.
func Fetch(ctx context.Context, c Channel, name, version, dir string) (string, error) {
	records, err := c.Records(ctx, condapkg.NoarchSubdir, name)
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
	if len(found.SHA256) != hex.EncodedLen(sha256.Size) { // used as a folder name
		return "", Errorf(ErrInvalid, "the index has no sha256 for %s", found.FileName())
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

// Place is a channel that may contain a package. With opens the channel and calls `use`. With may call `use` twice, first without a credential and
// then with a credential.
type Place struct {
	Name string // for messages
	With func(ctx context.Context, use func(c Channel) error) error
}

// FetchFirst fetches a version of a package from the first suitable place. If strict is set, this is the first place that has any version of the
// package in one of the subdirs, as in a solver with strict channel priority. Otherwise it is the first place that has the version. `unasked`
// contains an error for each earlier place that could not be queried. A solver might find the package there. Errors: ErrNotFound, which wraps the
// errors in `unasked`, if no place has the version.
func FetchFirst(ctx context.Context, places []Place, strict bool, subdirs []string, name, version, dir string) (file string, unasked []error, err error) {
	var names []string
	for _, p := range places {
		names = append(names, p.Name)
		has := false
		err := p.With(ctx, func(c Channel) (err error) {
			if has, err = hasName(ctx, c, subdirs, name); has {
				file, err = Fetch(ctx, c, name, version, dir)
			}
			return err
		})
		if cause := context.Cause(ctx); cause != nil {
			return "", nil, cause
		}
		switch {
		case has && err == nil:
			return file, unasked, nil
		case has && !strict && errors.Is(err, ErrNotFound):
		case has && errors.Is(err, ErrNotFound):
			return "", unasked, newNotFound(unasked, "%s has %s, but not version %s; the channel priority is strict, so later channels are not asked", p.Name, name, version)
		case has:
			return "", unasked, fmt.Errorf("%s: %w", p.Name, err)
		case err != nil:
			unasked = append(unasked, fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	if len(names) == 0 {
		return "", nil, Errorf(ErrNotFound, "%s %s was not found, because the manifest names no channel", name, version)
	}
	return "", unasked, newNotFound(unasked, "none of the channels %s has %s %s", strings.Join(names, ", "), name, version)
}

// newNotFound returns an ErrNotFound that also wraps the errors of the places that could not be queried, because any of them may have the
// package.
func newNotFound(unasked []error, format string, args ...any) error {
	err := Errorf(ErrNotFound, format, args...)
	for _, reason := range unasked {
		err = fmt.Errorf("%w; %w", err, reason)
	}
	return err
}

// hasName reports whether a channel contains any version of the named package. Errors: ErrNotFound if none of the subdirs exists.
func hasName(ctx context.Context, c Channel, subdirs []string, name string) (bool, error) {
	missing := 0
	for _, subdir := range subdirs {
		records, err := c.Records(ctx, subdir, name)
		switch {
		case errors.Is(err, ErrNotFound):
			if missing++; missing == len(subdirs) {
				return false, err
			}
		case err != nil:
			return false, err
		case len(records) > 0:
			return true, nil
		}
	}
	return false, nil
}

// Holds returns the sha256 of a file on the channel, in hex, or "" if the channel does not have the file. If the file is not in the index, Holds
// downloads the file, because the index may be out of date.
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
