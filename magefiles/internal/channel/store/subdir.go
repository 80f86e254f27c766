package store

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/attestation"
	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/condapkg/repodata"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// subdir is one folder of a channel: its records in memory, and how to change them.
type subdir struct {
	name, dir string

	change sync.Mutex // held by one change at a time, over its work on the disk
	log    *recordLog // guarded by change

	mu      sync.RWMutex
	entries map[string]*repodata.Entry // by file name
	groups  map[string]*group          // by package name; a group is never changed, but replaced
	current *view                      // nil when something changed since it was made
	fresh   map[string][]byte          // shards by file name that were rendered, and are not on the disk yet
}

func newSubdir(name, dir string) *subdir {
	return &subdir{
		name:    name,
		dir:     dir,
		log:     &recordLog{path: filepath.Join(dir, logFile)},
		entries: map[string]*repodata.Entry{},
		groups:  map[string]*group{},
		fresh:   map[string][]byte{},
	}
}

// load makes the folder, reads the log, and then every archive that the log does not know as it is.
func (d *subdir) load() error {
	d.change.Lock()
	defer d.change.Unlock()
	if err := d.stays(); err != nil {
		return err
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return err
	}
	known := d.log.read()
	there, err := d.list()
	if err != nil {
		return err
	}
	for _, f := range there.artifacts {
		st, err := f.Info()
		if err != nil {
			return err
		}
		r, ok := known[f.Name()]
		if !ok || !r.matches(st) || !d.hasSidecar(r.Record) {
			if r, err = d.inspect(f.Name(), there.sidecars[f.Name()]); err != nil {
				return operr.New("move the file out of the folder, or put a good one in its place", "%w", err)
			}
		}
		d.add(r.Record)
		d.log.keep(r)
	}
	return d.log.compact()
}

// listing is what lies in a subdir.
type listing struct {
	artifacts []fs.DirEntry
	sidecars  map[string][]string // names of files, by the artifact that they are about
}

// list reads the folder, which takes as long as the channel is large: it is not for an upload.
func (d *subdir) list() (l listing, err error) {
	files, err := os.ReadDir(d.dir)
	l.sidecars = map[string][]string{}
	for _, f := range files {
		artifact, _, sidecar := strings.Cut(f.Name(), attestation.SidecarName("", ""))
		switch {
		case isHidden(f.Name()) || !f.Type().IsRegular():
		case sidecar:
			l.sidecars[artifact] = append(l.sidecars[artifact], f.Name())
		case filepath.Ext(f.Name()) == condapkg.Ext:
			l.artifacts = append(l.artifacts, f)
		}
	}
	return l, err
}

// inspect reads an archive that lies in the folder, with the sidecars beside it.
func (d *subdir) inspect(file string, beside []string) (logged, error) {
	path := filepath.Join(d.dir, file)
	r, err := condapkg.Inspect(path)
	if err == nil {
		err = r.CheckFileName(file)
	}
	if err != nil {
		return logged{}, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return logged{}, err
	}
	d.findSidecar(&r, beside)
	return newLogged(r, st), nil
}

// has reports whether the same bytes are there already; other bytes are an error, unless by force.
func (d *subdir) has(u channel.Upload) (bool, error) {
	d.mu.RLock()
	e := d.entries[u.File]
	d.mu.RUnlock()
	switch {
	case e == nil:
		return false, nil
	case e.Record.SHA256 == u.Record.SHA256:
		return true, nil
	case u.Force:
		return false, nil
	}
	return false, &channel.ExistsError{File: u.File, Have: e.Record.SHA256, Sent: u.Record.SHA256}
}

// commit publishes a file that was received: it moves it into the folder, and its record into the index.
func (d *subdir) commit(path string, u channel.Upload) (existed bool, err error) {
	d.change.Lock()
	defer d.change.Unlock()
	if err := d.adoptOne(u.File); err != nil {
		return false, err
	}
	if existed, err := d.has(u); existed || err != nil { // another upload may have been faster
		return existed, err
	}
	if err := d.writeSidecar(&u); err != nil { // before the record that advertises it
		return false, err
	}
	was := d.record(u.File)
	if err := d.move(path, u); err != nil {
		return false, err
	}
	d.removeSidecar(was, u.Record)
	if st, err := os.Stat(filepath.Join(d.dir, u.File)); err == nil {
		_ = d.log.append(newLogged(u.Record, st)) // what the log lacks is read from the archive
	}
	return false, nil
}

// move puts the file into the folder and its record into the index. A new file is found when it will outlast a loss of
// power, and not before: who was told that it is there does not send it again. Where one is replaced, readers wait
// meanwhile, so that none finds the new bytes under the old record.
func (d *subdir) move(path string, u channel.Upload) error {
	to := filepath.Join(d.dir, u.File)
	if d.record(u.File).SHA256 == "" {
		if err := os.Rename(path, to); err != nil {
			return err
		}
		if err := atomicfile.SyncDir(d.dir); err != nil {
			return err // the next upload of that name adopts it
		}
		d.add(u.Record)
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.Rename(path, to); err != nil {
		return err
	}
	d.addLocked(u.Record)
	return atomicfile.SyncDir(d.dir)
}

// record is that of a file in the index, or an empty one.
func (d *subdir) record(file string) (r condapkg.Record) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if e := d.entries[file]; e != nil {
		r = e.Record
	}
	return r
}

// adopt takes a file into the index that was put into the folder past the store, so that it is not overwritten.
func (d *subdir) adopt(file string, beside []string) error {
	if d.record(file).SHA256 != "" {
		return nil
	}
	r, err := d.inspect(file, beside)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err = errors.Join(err, atomicfile.SyncDir(d.dir)); err != nil {
		return err
	}
	d.add(r.Record)
	_ = d.log.append(r) // as in commit
	return nil
}

// adoptOne is adopt for a file of which it is not known whether it is there.
func (d *subdir) adoptOne(file string) error {
	_, err := os.Stat(filepath.Join(d.dir, file))
	if errors.Is(err, fs.ErrNotExist) || d.record(file).SHA256 != "" {
		return nil
	}
	if err != nil {
		return err
	}
	there, err := d.list()
	if err != nil {
		return err
	}
	return d.adopt(file, there.sidecars[file])
}

// reindex compares the index with the folder, and makes it agree.
func (d *subdir) reindex() error {
	d.change.Lock()
	defer d.change.Unlock()
	now, err := d.list()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, f := range now.artifacts {
		there[f.Name()] = true
		if err := d.adopt(f.Name(), now.sidecars[f.Name()]); err != nil {
			return channel.Errorf(channel.ErrInvalid, "%s in the folder is not an artifact of that name", f.Name()) // without its path
		}
	}
	d.mu.RLock()
	known := slices.Collect(maps.Keys(d.entries))
	d.mu.RUnlock()
	for _, file := range known {
		if !there[file] {
			if err := d.unlink(file); err != nil {
				return err
			}
			_ = d.log.append(logged{File: file, Gone: true}) // as in commit
		}
	}
	return nil
}

func (d *subdir) add(r condapkg.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addLocked(r)
}

func (d *subdir) addLocked(r condapkg.Record) {
	e := repodata.NewEntry(r)
	d.entries[e.File] = e
	d.groups[r.Name] = d.groups[r.Name].with(e)
	d.current = nil
}

// remove deletes an artifact.
func (d *subdir) remove(file string) error {
	d.change.Lock()
	defer d.change.Unlock()
	was := d.record(file)
	if err := d.unlink(file); err != nil {
		return err
	}
	d.removeSidecar(was, condapkg.Record{})
	_ = d.log.append(logged{File: file, Gone: true}) // as in commit
	return atomicfile.SyncDir(d.dir)
}

func (d *subdir) unlink(file string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entries[file]
	if e == nil {
		return notFound(file)
	}
	if err := os.Remove(filepath.Join(d.dir, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	delete(d.entries, file)
	if g := d.groups[e.Record.Name].without(file); g != nil {
		d.groups[e.Record.Name] = g
	} else {
		delete(d.groups, e.Record.Name)
	}
	d.current = nil
	return nil
}

// entriesOf are the entries of the packages named, or all, sorted.
func (d *subdir) entriesOf(names []string) (entries []*repodata.Entry) {
	d.mu.RLock()
	if len(names) == 0 {
		entries = slices.Collect(maps.Values(d.entries))
	}
	for _, name := range names {
		if g := d.groups[name]; g != nil {
			entries = append(entries, g.entries...)
		}
	}
	d.mu.RUnlock()
	repodata.Sort(entries)
	return entries
}

func (d *subdir) openArtifact(file string) (*channel.File, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e := d.entries[file]
	if e == nil {
		return d.openSidecar(file)
	}
	return onDisk(filepath.Join(d.dir, file), file, `"`+e.Record.SHA256+`"`)
}

var shardForm = regexp.MustCompile(`^shards/([0-9a-f]{64})\.msgpack\.zst$`)

// openShard opens a shard of this state of the index or of an earlier one, which a client may still be reading.
func (d *subdir) openShard(file string) (*channel.File, error) {
	m := shardForm.FindStringSubmatch(file)
	if m == nil {
		return nil, notFound(file)
	}
	etag := `"` + m[1] + `"`
	d.mu.RLock()
	data, ok := d.fresh[file]
	d.mu.RUnlock()
	f := indexFile(rendered{data: data, etag: etag})
	if !ok {
		var err error
		if f, err = onDisk(filepath.Join(d.dir, filepath.FromSlash(file)), file, etag); err != nil {
			return nil, err
		}
	}
	f.Immutable = true
	return f, nil
}
