// Package artifact keeps what jobs of a run hand to each other.
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

// Store has the artifacts of a run. Its methods may be called from several goroutines.
type Store struct {
	Dir   string // where they are kept
	mu    sync.Mutex
	named map[string]string // their folders
	made  int
}

// Folders are the artifacts, by their names.
func (s *Store) Folders() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.named)
}

// Add makes an artifact of files, whose places in it are relative to root. A name is taken once, but where it overwrites. The digest is hex.
func (s *Store) Add(ctx context.Context, name, root string, files []string, overwrite bool) (id int, digest string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.named[name]; there && !overwrite {
		return 0, "", fmt.Errorf("an artifact with the name %s is there already in this run (409 Conflict): give it another name, or overwrite: true", name)
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

// CopyFile copies what a file has, to a further writer too, and without its mode: GitHub's artifacts have none.
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
		return fmt.Errorf("%s is there, and is not a file", to)
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
