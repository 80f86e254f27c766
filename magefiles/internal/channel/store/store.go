// Package store keeps channels in a folder: DIR/<channel>/<subdir>/<file>.conda, and beside them the index that clients
// read, so that the folder is a channel for everything that can read one.
//
// The .conda files are the truth. An upload writes its bytes to a temporary file, syncs it, renames it into its subdir,
// syncs that, and adds the record to the index in memory: it costs what it adds, whatever the channel holds. What is
// read through the store is always of the newest state. The index files on the disk follow: they are written shortly
// after the last change, and when the store is closed. A log of the records in each subdir spares reading the archives
// when the store is opened again; a line of it counts only where the file's size and time still agree, so whatever a
// loss of power leaves of it, what is opened is what the .conda files say.
//
// One process at a time may have a folder open. Temporary files lie in DIR/.incoming, and none of them ends in .conda.
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

// Store is an opened folder of channels.
type Store struct {
	dir     string
	lock    *os.File
	flusher *flusher

	mu       sync.Mutex
	channels map[string]*folder

	use    sync.RWMutex // held, for reading, by whatever changes a channel
	closed bool         // guarded by use
}

// Open opens a folder of channels, and makes it where it does not exist. A folder that holds anything else than channels is
// refused, and left as it is. The caller closes the store.
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
	return operr.New("see to it, or name another folder", "opening the channels in %s: %w", dir, err)
}

// makeDir is os.MkdirAll, but what it makes outlasts a loss of power.
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

// InUse says, by an error, that the channels in a folder are open in another process.
func InUse(dir string) error {
	if !IsStore(dir) {
		return nil
	}
	s := &Store{dir: dir}
	if err := s.acquire(); err != nil {
		return err
	}
	return filelock.Release(s.lock)
}

// IsStore reports whether a folder is one in which channels are kept.
func IsStore(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, lockFile))
	return err == nil
}

// acquire takes the lock that the kernel frees when this process ends, in whatever way.
func (s *Store) acquire() error {
	f, err := filelock.Take(filepath.Join(s.dir, lockFile))
	if errors.Is(err, filelock.ErrHeld) {
		return operr.New("stop the other one, or use another folder", "the channels in %s are open in another process", s.dir)
	}
	if err != nil {
		return opening(s.dir, err)
	}
	s.lock = f
	return nil
}

// load reads every channel of the folder, and removes what uploads that never ended left behind.
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

// enter begins a change, which leave ends. A store that is closed takes none.
func (s *Store) enter() error {
	s.use.RLock()
	if s.closed {
		s.use.RUnlock()
		return channel.Errorf(channel.ErrUnavailable, "the channels are closed")
	}
	return nil
}

func (s *Store) leave() { s.use.RUnlock() }

// Close waits for changes that are under way, writes what index files are still to be written, and lets the folder go.
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

// Flush writes all index files that are older than what the store holds, now.
func (s *Store) Flush() error { return s.flusher.flush() }

// Incoming is a folder on the same file system for what is being received: an upload whose file lies there is renamed
// instead of copied. It is emptied when the store is opened.
func (s *Store) Incoming() string { return filepath.Join(s.dir, incomingDir) }

// Channels are the names of the channels, sorted.
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

// Channel returns a channel of that name, or an error that wraps channel.ErrNotFound.
func (s *Store) Channel(_ context.Context, name string) (channel.Channel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f, ok := s.channels[name]; ok {
		return f, nil
	}
	return nil, channel.Errorf(channel.ErrNotFound, "there is no channel %.120q", name)
}

// Create returns the channel of that name, and makes it where there is none: empty, but with an index for every subdir,
// since clients remember for ever that a sharded index was not there.
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
		return nil, fmt.Errorf("making the channel %s: %w", name, err)
	}
	s.channels[name] = f
	return f, nil
}

// isHidden reports whether a name is the store's own.
func isHidden(name string) bool { return strings.HasPrefix(name, ".") }
