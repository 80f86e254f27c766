// Package artifact stores the artifacts that the jobs of a run pass to each other.
package artifact

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/glob"
	"github.com/foopack/foopack/magefiles/internal/beneath"
)

// Store holds the artifacts of a run. Its methods may be called from several goroutines.
type Store struct {
	Dir   string // the folder of all artifacts
	mu    sync.Mutex
	named map[string]string // the folder of each artifact, by its name
	made  int
}

// Folders returns the folder of each artifact, by its name.
func (s *Store) Folders() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.named)
}

// Add creates an artifact from files, whose paths are relative to root. A name can be used only once, unless overwrite is set. The returned digest
// is in hex.
func (s *Store) Add(ctx context.Context, name, root string, files []string, overwrite bool) (id int, digest string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.named[name]; there && !overwrite {
		return 0, "", fmt.Errorf("this run already has an artifact with the name %s (409 Conflict): choose another name, or set overwrite: true", name)
	}
	s.made++
	dir := filepath.Join(s.Dir, strconv.Itoa(s.made))
	sum := sha256.New()
	for _, from := range files {
		rel, err := filepath.Rel(root, from)
		if err != nil {
			return 0, "", err
		}
		fmt.Fprintf(sum, "%s\x00", rel)
		if err := CopyFile(filepath.Join(dir, rel), from, io.MultiWriter(sum, glob.Until{Context: ctx})); err != nil {
			return 0, "", err
		}
	}
	if s.named == nil {
		s.named = map[string]string{}
	}
	s.named[name] = dir
	return s.made, hex.EncodeToString(sum.Sum(nil)), nil
}

// CopyFile copies the content of a file, and also writes it to another writer. It drops the file mode, because GitHub's artifacts have none.
func CopyFile(to, from string, also io.Writer) error {
	in, err := beneath.OpenFile(from)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(to); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s exists, but is not a file", to)
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NONBLOCK, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(out, also), in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}
