// Package store stores channels in a folder, as DIR/<channel>/<subdir>/<file>.conda. It also writes an index beside the artifacts, so that any
// client that supports channels in local folders can read them.
//
// The .conda files are authoritative. An upload is written to a temporary file, synced, and renamed into its subdir. Then the subdir is synced
// and the record is added to the in-memory index. The cost of an upload does not depend on the size of the channel. Readers that use the store
// always see the current index. The index files on disk are written shortly after the last change, and when the store is closed. Each subdir has
// a log of its records, so that a store can be opened without reading every archive. A log entry is used only if the file's size and modification
// time match. Therefore the index of an open store always matches the .conda files, even if a power failure damaged the log.
//
// Only one process at a time can open a folder. Temporary files are in DIR/.incoming, and their names never end in .conda.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

const (
	lockFile    = ".lock"
	incomingDir = ".incoming"
)

// Store is an open folder of channels.
type Store struct {
	dir     string
	lock    *os.File
	flusher *flusher

	mu       sync.Mutex
	channels map[string]*folder

	use    sync.RWMutex // read-locked during every change to a channel
	closed bool         // guarded by `use`
}

// Open opens a folder of channels. It creates the folder if it does not exist. If the folder contains anything other than channels, Open returns
// an error and does not change it. The caller must close the store.
func Open(dir string) (*Store, error) {
	s := &Store{dir: dir, channels: map[string]*folder{}}
	if err := stays(dir, incomingDir, lockFile); err != nil {
		return nil, err
	}
	if err := checkOurs(dir); err != nil {
		return nil, err
	}
	if err := makeDir(s.Incoming()); err != nil {
		return nil, opening(dir, err)
	}
	if err := s.acquire(); err != nil {
		return nil, err
	}
	s.flusher = newFlusher()
	if err := s.load(); err != nil {
		return nil, errors.Join(opening(dir, err), s.Close())
	}
	return s, nil
}

func opening(dir string, err error) error {
	return operr.New("make this folder readable and writable, or name another folder", "opening the channels in %s: %w", dir, err)
}

// makeDir is like os.MkdirAll, but syncs the new folders, so that they survive a power failure.
func makeDir(dir string) error {
	if st, err := os.Stat(dir); err == nil && st.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return atomicfile.SyncDir(parent)
}

// CheckUnused returns an error if another process has opened the folder's channels.
func CheckUnused(dir string) error {
	if !IsStore(dir) {
		return nil
	}
	s := &Store{dir: dir}
	if err := s.acquire(); err != nil {
		return err
	}
	return filelock.Release(s.lock)
}

// IsStore reports whether a folder has been opened as a store.
func IsStore(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, lockFile))
	return err == nil
}

// acquire locks the folder. The kernel releases the lock when the process exits, even after a crash.
func (s *Store) acquire() error {
	f, err := filelock.Take(filepath.Join(s.dir, lockFile))
	if errors.Is(err, filelock.ErrHeld) {
		return operr.New("stop the other process, or use another folder", "the channels in %s are open in another process", s.dir)
	}
	if err != nil {
		return opening(s.dir, err)
	}
	s.lock = f
	return nil
}

// load reads all channels, and removes what interrupted uploads left behind.
func (s *Store) load() error {
	left, err := os.ReadDir(s.Incoming())
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := os.RemoveAll(filepath.Join(s.Incoming(), e.Name())); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var group errgroup.Group
	for _, e := range entries {
		if e.IsDir() && channel.CheckName(e.Name()) == nil {
			f := newFolder(s, e.Name())
			s.channels[e.Name()] = f
			group.Go(f.load)
		}
	}
	return group.Wait()
}

// `enter` must be called before a change, and `leave` after the change. `enter` returns an error if the store is closed.
func (s *Store) enter() error {
	s.use.RLock()
	if s.closed {
		s.use.RUnlock()
		return channel.Errorf(channel.ErrUnavailable, "the channels are closed")
	}
	return nil
}

func (s *Store) leave() { s.use.RUnlock() }

// Close waits for changes in progress, writes the remaining index files, and unlocks the folder.
func (s *Store) Close() error {
	s.use.Lock()
	s.closed = true
	s.use.Unlock()
	err := s.flusher.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.channels {
		for _, d := range f.subdirs {
			err = errors.Join(err, d.log.close())
		}
	}
	return errors.Join(err, filelock.Release(s.lock))
}

// Flush writes all outdated index files immediately.
func (s *Store) Flush() error { return s.flusher.flush() }

// Incoming returns a folder for incoming files. It is on the same file system as the channels, so an upload from it is renamed instead of copied.
// Opening the store empties the folder.
func (s *Store) Incoming() string { return filepath.Join(s.dir, incomingDir) }

// Channels returns the sorted names of the channels.
func (s *Store) Channels() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.channels {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Channel returns a channel, or an error that wraps channel.ErrNotFound.
func (s *Store) Channel(_ context.Context, name string) (channel.Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.channels[name]; ok {
		return f, nil
	}
	return nil, channel.Errorf(channel.ErrNotFound, "there is no channel %.120q", name)
}

// Create returns a channel. It creates the channel if it does not exist. A new channel has an index for every subdir, although it is empty,
// because clients remember permanently that a sharded index is missing.
func (s *Store) Create(_ context.Context, name string) (channel.Channel, error) {
	if err := channel.CheckName(name); err != nil {
		return nil, err
	}
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.channels[name]; ok {
		return f, nil
	}
	f := newFolder(s, name)
	if err := errors.Join(makeDir(f.dir), f.load()); err != nil {
		return nil, fmt.Errorf("creating the channel %s: %w", name, err)
	}
	s.channels[name] = f
	return f, nil
}

// isHidden reports whether a name is reserved for the store's own files.
func isHidden(name string) bool { return strings.HasPrefix(name, ".") }
