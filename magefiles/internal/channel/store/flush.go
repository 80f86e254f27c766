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

// The index files on the disk are written when nothing was changed for flushDelay, or for as long as mostDelay where
// changes follow one another without end: so they do not take the disk from uploads. Readers through the store do not
// wait for it.
const (
	flushDelay = 300 * time.Millisecond
	mostDelay  = 10 * time.Second
)

// flusher writes the index files of changed subdirs in the background.
type flusher struct {
	mu    sync.Mutex
	dirty map[*subdir]bool
	kick  chan struct{} // has room for one
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

// mark has the index of a subdir written soon.
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
		_ = f.flush() // what goes wrong stays marked: it is tried again, and reported by close
	}
}

// settle waits until it is time to write; false when the store is closed instead.
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

// flush writes what is marked, and keeps the mark where that goes wrong.
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

// close ends the background work, and writes what is left.
func (f *flusher) close() error {
	close(f.stop)
	<-f.done
	return f.flush()
}

// write brings the index files on the disk up to date: the shards first, then what refers to them.
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

// writeShards writes the shards that were rendered and are not on the disk yet, also those that were replaced since: a
// client may have read the index that refers to them.
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
	group.SetLimit(16) // the disk syncs many files together in hardly more time than one
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
