package provenance

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// MadeFile is the list of what was made in a folder that people use too. It says what may be removed, and nothing about what may be published.
const MadeFile = ".made"

// NoteMade adds files of a folder, each with the sha256 of its bytes in hex, to the list. Several may do so at once. A line is written whole, or, by
// one that is killed, counts for nothing.
func NoteMade(dir string, digests map[string]string) error {
	var lines strings.Builder
	for name, digest := range digests {
		fmt.Fprintf(&lines, "%s  %s\n", digest, name)
	}
	f, err := os.OpenFile(filepath.Join(dir, MadeFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o644) // a pipe there is refused
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines.String())
	return errors.Join(err, f.Close())
}

// WriteMade writes a file into a folder, and adds it to the list.
func WriteMade(file string, data []byte) error {
	if err := atomicfile.WriteFile(file, data, 0o644); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	return NoteMade(filepath.Dir(file), map[string]string{filepath.Base(file): hex.EncodeToString(sum[:])})
}

// Made returns the digests that a folder's list has, by the file's name; one that was made several times has several.
func Made(dir string) (map[string][]string, error) {
	text, err := beneath.Read(filepath.Join(dir, MadeFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		digest, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if ok && strings.HasSuffix(line, "\n") {
			all[name] = append(all[name], digest)
		}
	}
	return all, nil
}
