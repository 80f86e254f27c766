package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// Index files are written to disk when nothing has changed for flushDelay, or after mostDelay if changes never pause for that long. This keeps
// the disk free for uploads. Readers that use the store do not wait for these files.
const (
	flushDelay = 300 * time.Millisecond
	mostDelay  = 10 * time.Second
)

// flusher writes the index files of changed subdirs in the background.
type flusher struct {
	mu    sync.Mutex
	dirty map[*subdir]bool
	kick  chan struct{} // buffered, so that mark does not block
	stop  chan struct{}
	done  chan struct{}

	work sync.Mutex // held while files are written
}

func newFlusher() *flusher {
	f := &flusher{
		dirty: map[*subdir]bool{},
		kick:  make(chan struct{}, 1),
		stop:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	go f.run()
	return f
}

// mark schedules a write of the subdir's index files.
func (f *flusher) mark(d *subdir) {
	f.mu.Lock()
	f.dirty[d] = true
	f.mu.Unlock()
	select {
	case f.kick <- struct{}{}:
	default:
	}
}

func (f *flusher) run() {
	defer close(f.done)
	for {
		select {
		case <-f.stop:
			return
		case <-f.kick:
		}
		if !f.settle() {
			return
		}
		_ = f.flush() // on an error, the subdir stays marked for the next flush, and close reports the error
	}
}

// settle waits until the index files should be written. It returns false if the store is closed first.
func (f *flusher) settle() bool {
	most := time.After(mostDelay)
	for {
		select {
		case <-f.stop:
			return false
		case <-most:
			return true
		case <-time.After(flushDelay):
			return true
		case <-f.kick:
		}
	}
}

// flush writes the index files of all marked subdirs. If this fails, the subdir stays marked.
func (f *flusher) flush() (err error) {
	f.work.Lock()
	defer f.work.Unlock()
	f.mu.Lock()
	dirty := f.dirty
	f.dirty = map[*subdir]bool{}
	f.mu.Unlock()
	for d := range dirty {
		if werr := d.write(); werr != nil {
			err = errors.Join(err, fmt.Errorf("writing the index of %s: %w", d.dir, werr))
			f.mu.Lock()
			f.dirty[d] = true
			f.mu.Unlock()
		}
	}
	return err
}

// `close` stops the background goroutine and writes the remaining index files.
func (f *flusher) close() error {
	close(f.stop)
	<-f.done
	return f.flush()
}

// write updates the index files on disk. It writes the shards before the files that refer to them.
func (d *subdir) write() error {
	v := d.view()
	shards := v.shards()
	if err := d.writeShards(); err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		data []byte
	}{{repodata.Shards, shards.data}, {repodata.JSONZst, v.zst().data}, {repodata.JSON, v.json().data}} {
		path := filepath.Join(d.dir, f.name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, f.data) {
			continue
		}
		if err := atomicfile.WriteFile(path, f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeShards writes all rendered shards that are not on disk yet. This includes shards that have since been replaced, because a client may have
// read an index that refers to them.
func (d *subdir) writeShards() error {
	d.mu.RLock()
	fresh := make(map[string][]byte, len(d.fresh))
	for file, data := range d.fresh {
		fresh[file] = data
	}
	d.mu.RUnlock()
	if len(fresh) == 0 {
		return nil
	}
	dir := filepath.Join(d.dir, repodata.ShardDir)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(16) // syncing many files concurrently takes hardly longer than syncing one
	for file, data := range fresh {
		group.Go(func() error { return writeShard(filepath.Join(d.dir, filepath.FromSlash(file)), data) })
	}
	if err := errors.Join(group.Wait(), atomicfile.SyncDir(dir)); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for file := range fresh {
		delete(d.fresh, file)
	}
	return nil
}

func writeShard(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	w, err := atomicfile.Create(path, 0o644)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.CommitUnsynced()
}
