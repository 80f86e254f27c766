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

// MadeFile lists the files that this program wrote to a folder that users also write to. It determines which files may be removed. It does not
// determine which files may be published.
const MadeFile = ".made"

// NoteMade appends files in dir to the list, each with its sha256 in hex. Several processes may call it at the same time, because all lines are
// written in a single append. A reader ignores the partial line that a killed process may leave.
func NoteMade(dir string, digests map[string]string) error {
	var lines strings.Builder
	for name, digest := range digests {
		fmt.Fprintf(&lines, "%s  %s\n", digest, name)
	}
	f, err := os.OpenFile(filepath.Join(dir, MadeFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o644) // a pipe fails
	if err != nil {
		return err
	}
	_, err = f.WriteString(lines.String())
	return errors.Join(err, f.Close())
}

// WriteMade writes a file and adds it to its folder's list.
func WriteMade(file string, data []byte) error {
	if err := atomicfile.WriteFile(file, data, 0o644); err != nil {
		return err
	}
	sum := sha256.Sum256(data)
	return NoteMade(filepath.Dir(file), map[string]string{filepath.Base(file): hex.EncodeToString(sum[:])})
}

// Made returns the digests in a folder's list, by file name. A file that was written several times has several digests.
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
