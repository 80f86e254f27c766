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

// subdir is a subdir of a channel, with its records in memory.
type subdir struct {
	name, dir string

	change sync.Mutex // serializes changes, including their disk I/O
	log    *recordLog // guarded by change

	mu      sync.RWMutex
	entries map[string]*repodata.Entry // by file name
	groups  map[string]*group          // by package name; groups are immutable and get replaced
	current *view                      // nil if something has changed since it was made
	fresh   map[string][]byte          // rendered shards that are not on disk yet, by file name
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

// load creates the folder if needed, and reads the log. It also reads each archive whose log entry is missing or outdated.
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
				return operr.New("move this file out of the folder, or replace this file with an intact copy", "%w", err)
			}
		}
		d.add(r.Record)
		d.log.keep(r)
	}
	return d.log.compact()
}

// listing lists the files in a subdir.
type listing struct {
	artifacts []fs.DirEntry
	sidecars  map[string][]string // file names, by artifact
}

// list reads the folder. Its cost depends on the size of the channel, so most uploads avoid it.
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

// inspect reads an archive in the folder and looks for its sidecar among the files in `beside`.
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

// `has` reports whether the subdir contains the same file. If it contains a file with the same name but different bytes, `has` returns an error,
// unless the upload is forced.
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

// commit moves a received file into the folder and adds its record to the index.
func (d *subdir) commit(path string, u channel.Upload) (existed bool, err error) {
	d.change.Lock()
	defer d.change.Unlock()
	if err := d.adoptOne(u.File); err != nil {
		return false, err
	}
	if existed, err := d.has(u); existed || err != nil { // a concurrent upload may have finished first
		return existed, err
	}
	if err := d.writeSidecar(&u); err != nil { // before the record that refers to it
		return false, err
	}
	was := d.record(u.File)
	if err := d.move(path, u); err != nil {
		return false, err
	}
	d.removeSidecar(was, u.Record)
	if st, err := os.Stat(filepath.Join(d.dir, u.File)); err == nil {
		_ = d.log.append(newLogged(u.Record, st)) // on an error, the record is read from the archive when the store is next opened
	}
	return false, nil
}

// move moves the file into the folder and adds its record to the index. A new file is synced before it becomes visible, because a client that sees
// the file does not send it again. When a file is replaced, move blocks readers, so that no reader gets the new bytes with the old record.
func (d *subdir) move(path string, u channel.Upload) error {
	to := filepath.Join(d.dir, u.File)
	if d.record(u.File).SHA256 == "" {
		if err := os.Rename(path, to); err != nil {
			return err
		}
		if err := atomicfile.SyncDir(d.dir); err != nil {
			return err // the next upload with this name adopts the file
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

// record returns a file's record in the index, or an empty record.
func (d *subdir) record(file string) (r condapkg.Record) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if e := d.entries[file]; e != nil {
		r = e.Record
	}
	return r
}

// adopt adds a file that was copied into the folder to the index, so that an upload does not overwrite the file.
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
	_ = d.log.append(r) // ignore the error, as in commit
	return nil
}

// adoptOne is like adopt, but the file may not exist.
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

// reindex updates the index to match the files in the folder.
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
			return channel.Errorf(channel.ErrInvalid, "the file %s is not a valid package, or the name in its metadata differs from its file name", f.Name()) // err has the path
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
			_ = d.log.append(logged{File: file, Gone: true}) // ignore the error, as in commit
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
	_ = d.log.append(logged{File: file, Gone: true}) // ignore the error, as in commit
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

// entriesOf returns the entries of the named packages, or all entries if names is empty, sorted.
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
	return openFile(filepath.Join(d.dir, file), file, `"`+e.Record.SHA256+`"`)
}

var shardForm = regexp.MustCompile(`^shards/([0-9a-f]{64})\.msgpack\.zst$`)

// openShard opens a shard of the current index, or of an older index that a client may still use.
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
		if f, err = openFile(filepath.Join(d.dir, filepath.FromSlash(file)), file, etag); err != nil {
			return nil, err
		}
	}
	f.Immutable = true
	return f, nil
}
