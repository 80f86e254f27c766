package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
)

// folder is a channel in a store.
type folder struct {
	store   *Store
	name    string
	dir     string
	subdirs map[string]*subdir // by name, all subdirs known to conda; the map never changes
}

var _ channel.Channel = (*folder)(nil)

func newFolder(s *Store, name string) *folder {
	f := &folder{store: s, name: name, dir: filepath.Join(s.dir, name), subdirs: map[string]*subdir{}}
	for _, sub := range condapkg.Subdirs() {
		f.subdirs[sub] = newSubdir(sub, filepath.Join(f.dir, sub))
	}
	return f
}

// load reads the channel from disk, creates missing subdirs, and schedules a write of all index files.
func (f *folder) load() error {
	for _, d := range f.subdirs {
		if err := d.load(); err != nil {
			return err
		}
		f.store.flusher.mark(d)
	}
	return atomicfile.SyncDir(f.dir)
}

func (f *folder) subdir(name string) (*subdir, error) {
	if d, ok := f.subdirs[name]; ok {
		return d, nil
	}
	return nil, channel.Errorf(channel.ErrNotFound, "the channel %s has no subdir %.120q", f.name, name)
}

// Put implements channel.Channel.
func (f *folder) Put(ctx context.Context, u channel.Upload) (channel.Receipt, error) {
	if err := f.check(u); err != nil {
		return channel.Receipt{}, err
	}
	if err := f.store.enter(); err != nil {
		return channel.Receipt{}, err
	}
	defer f.store.leave()
	d := f.subdirs[u.Record.Subdir]
	if existed, err := d.has(u); existed || err != nil { // avoids a needless copy
		return channel.Receipt{Existed: existed}, err
	}
	path, err := f.receive(ctx, &u)
	if err != nil {
		return channel.Receipt{}, err
	}
	defer os.Remove(path) // fails if commit has moved it, which is fine
	existed, err := d.commit(path, u)
	f.store.flusher.mark(d)
	return channel.Receipt{Existed: existed}, err
}

// check rejects an upload if clients could not use its record.
func (f *folder) check(u channel.Upload) error {
	if err := u.Check(); err != nil {
		return err
	}
	if u.Record.NeedsV3() {
		return channel.Errorf(channel.ErrForbidden, "Channel '%s' does not allow v3 repodata uploads", f.name)
	}
	return nil
}

// receive moves or copies the artifact to a temporary file of the store and syncs it. If it copies the artifact, it sets the record's MD5.
func (f *folder) receive(ctx context.Context, u *channel.Upload) (string, error) {
	if u.Owned && u.Record.MD5 != "" {
		path := filepath.Join(f.store.Incoming(), filepath.Base(u.Path)+".owned")
		if os.Rename(u.Path, path) == nil {
			err := syncFile(path)
			if err != nil {
				os.Remove(path)
			}
			return path, err
		} // rename fails across file systems; copy instead
	}
	src, err := os.Open(u.Path)
	if err != nil {
		return "", err
	}
	defer src.Close()
	dst, err := os.CreateTemp(f.store.Incoming(), "put-*.partial")
	if err != nil {
		return "", err
	}
	err = copyAndCheck(ctx, dst, src, u)
	if err = errors.Join(err, dst.Chmod(0o644), dst.Sync(), dst.Close()); err != nil {
		os.Remove(dst.Name())
		return "", err
	}
	return dst.Name(), nil
}

// copyAndCheck copies the artifact and sets the record's MD5. It returns an error if the artifact no longer matches the record.
func copyAndCheck(ctx context.Context, dst io.Writer, src io.Reader, u *channel.Upload) error {
	sum := condapkg.NewDigester()
	if _, err := io.Copy(io.MultiWriter(dst, sum), contextReader{ctx: ctx, r: src}); err != nil {
		return err
	}
	if sum.SHA256() != u.Record.SHA256 || sum.Size() != u.Record.Size {
		return channel.Errorf(channel.ErrInvalid, "%s changed: its sha256 is now %s, but was %s when the file was read", u.Path, sum.SHA256(), u.Record.SHA256)
	}
	u.Record.MD5 = sum.MD5()
	return nil
}

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o644), f.Sync(), f.Close())
}

// Records implements channel.Channel.
func (f *folder) Records(_ context.Context, subdir string, names ...string) ([]condapkg.Record, error) {
	d, err := f.subdir(subdir)
	if err != nil {
		return nil, err
	}
	entries := d.entriesOf(names)
	records := make([]condapkg.Record, len(entries))
	for i, e := range entries {
		records[i] = e.Record
	}
	return records, nil
}

// Open implements channel.Channel.
func (f *folder) Open(_ context.Context, subdir, file string) (*channel.File, error) {
	d, err := f.subdir(subdir)
	if err != nil {
		return nil, err
	}
	switch {
	case file == repodata.JSON:
		return indexFile(d.view().json()), nil
	case file == repodata.JSONZst:
		return indexFile(d.view().zst()), nil
	case file == repodata.Shards:
		return indexFile(d.view().shards()), nil
	case strings.HasPrefix(file, repodata.ShardDir):
		return d.openShard(file)
	}
	return d.openArtifact(file)
}

func indexFile(r rendered) *channel.File {
	return &channel.File{
		ReadCloser: memory{Reader: bytes.NewReader(r.data)},
		Size:       int64(len(r.data)),
		ETag:       r.etag,
	}
}

// memory reads bytes in memory. It implements io.ReadSeeker and io.Closer.
type memory struct{ *bytes.Reader }

func (memory) Close() error { return nil }

// Reindex adds artifacts that were copied into a subdir's folder to the index, and removes missing artifacts from the index.
func (f *folder) Reindex(_ context.Context, in string) error {
	return f.change(in, (*subdir).reindex)
}

// Delete implements channel.Channel.
func (f *folder) Delete(_ context.Context, in, file string) error {
	return f.change(in, func(d *subdir) error { return d.remove(file) })
}

// change applies a change to a subdir and schedules a write of its index files.
func (f *folder) change(in string, do func(*subdir) error) error {
	d, err := f.subdir(in)
	if err != nil {
		return err
	}
	if err := f.store.enter(); err != nil {
		return err
	}
	defer f.store.leave()
	err = do(d)
	f.store.flusher.mark(d)
	return err
}

func notFound(file string) error {
	return channel.Errorf(channel.ErrNotFound, "there is no %.200q", file)
}

// openFile opens a file for a reader.
func openFile(path, file, etag string) (*channel.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, notFound(file)
	}
	if err != nil {
		return nil, err
	}
	st, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &channel.File{ReadCloser: f, Size: st.Size(), ETag: etag}, nil
}
