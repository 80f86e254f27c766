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

// Place is a channel among several that may have a package. With opens it, and may hand it on more than once: as anyone sees it, and
// then as the owner of a credential.
type Place struct {
	Name string // for people
	With func(ctx context.Context, use func(c Channel) error) error
}

// FetchFirst fetches one version of a package from the first place that has a package of that name, in any version, for one of the
// subdirs: so does a solver with strict channel priority. Otherwise it is the first that has the version. unasked are the reasons why places
// before that one were passed over without an answer; a solver may find the package there.
// Errors: ErrNotFound, with the reasons beneath, where no place has it.
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
			return "", unasked, newNotFound(unasked, "%s has %s, and no %s of it; no channel after it is asked", p.Name, name, version)
		case has:
			return "", unasked, fmt.Errorf("%s: %w", p.Name, err)
		case err != nil:
			unasked = append(unasked, fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	if len(names) == 0 {
		return "", nil, Errorf(ErrNotFound, "no channel has %s %s: the manifest names none", name, version)
	}
	return "", unasked, newNotFound(unasked, "no channel of %s has %s %s", strings.Join(names, ", "), name, version)
}

// newNotFound makes an ErrNotFound with all reasons why places were not asked: any of them may be why.
func newNotFound(unasked []error, format string, args ...any) error {
	err := Errorf(ErrNotFound, format, args...)
	for _, reason := range unasked {
		err = fmt.Errorf("%w; %w", err, reason)
	}
	return err
}

// hasName reports whether a channel has a package of a name, in any version. Errors: ErrNotFound, where it has none of the subdirs.
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
