// Package journal records the progress of a run on disk, so that a later run can tell what was done. A journal is an append-only file with one JSON
// object per line. Each line is synced before the run continues. This package does not interpret the records.
//
// A journal belongs to one plan. Each record contains the plan's digest and the version of the tool that wrote it. A kill or a power failure may
// leave an incomplete last line. That record was never acknowledged, so readers ignore the line, and Open removes it. Any other damaged line is an
// error, because its record was acknowledged.
//
// Only one process at a time may append. Callers must use [Lock] to ensure that.
package journal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
)

// ErrDamaged means that a journal is damaged and cannot be read.
var ErrDamaged = errors.New("the journal is damaged")

// Entry is a line of a journal.
type Entry struct {
	Seq  int             `json:"seq"`  // starts at 1, without gaps
	Time time.Time       `json:"time"` // UTC
	Tool string          `json:"tool"` // version of the tool that wrote the entry
	Plan string          `json:"plan"` // digest of the journal's plan
	Kind string          `json:"kind"` // type of Body
	Body json.RawMessage `json:"body"`
}

// Journal is a journal that is open for appending.
type Journal struct {
	Path       string
	Tool, Plan string           // for new entries
	Now        func() time.Time // defaults to time.Now

	file *os.File
	size int64
	seq  int
}

// Create creates a journal, which must not exist. The first entries are written atomically.
func Create(path, tool, plan string, first ...Entry) (*Journal, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("making %s: %w", path, os.ErrExist)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	j := &Journal{Tool: tool, Plan: plan}
	var lines []byte
	for _, e := range first {
		line, err := j.line(e)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line...)
	}
	if err := atomicfile.WriteFile(path, lines, 0o644); err != nil {
		return nil, fmt.Errorf("creating the journal: %w", err)
	}
	return j, j.open(path)
}

// Open opens an existing journal for appending, and returns its entries.
func Open(path, tool, plan string) (*Journal, []Entry, error) {
	entries, size, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	j := &Journal{Tool: tool, Plan: plan, seq: len(entries)}
	if err := j.open(path); err != nil {
		return nil, nil, err
	}
	if err := j.cut(size); err != nil {
		return nil, nil, errors.Join(err, j.Close())
	}
	return j, entries, nil
}

// Read returns the entries of a journal. If it does not exist, the error wraps os.ErrNotExist.
func Read(path string) ([]Entry, error) {
	entries, _, err := read(path)
	return entries, err
}

// Append writes an entry and syncs it to disk. On error, the journal is unchanged.
func (j *Journal) Append(kind string, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	line, err := j.line(Entry{Kind: kind, Body: data})
	if err != nil {
		return err
	}
	if _, err = j.file.WriteAt(line, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		j.seq--
		return fmt.Errorf("writing the journal: %w", errors.Join(err, j.cut(j.size)))
	}
	j.size += int64(len(line))
	return nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.file.Close() }

func (j *Journal) open(path string) (err error) {
	j.Path = path
	if j.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	j.size, err = j.file.Seek(0, io.SeekEnd)
	return err
}

// cut truncates the file to the given size.
func (j *Journal) cut(size int64) error {
	j.size = size
	if err := j.file.Truncate(size); err != nil {
		return fmt.Errorf("removing an incomplete line from the end of the journal: %w", err)
	}
	return j.file.Sync()
}

// line fills in the sequence number, tool, plan and time of an entry, and encodes it as a line of JSON.
func (j *Journal) line(e Entry) ([]byte, error) {
	j.seq++
	e.Seq, e.Tool, e.Plan = j.seq, j.Tool, j.Plan
	if e.Time.IsZero() {
		now := time.Now
		if j.Now != nil {
			now = j.Now
		}
		e.Time = now().UTC()
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("writing the journal: %w", err)
	}
	return append(data, '\n'), nil
}

// read returns the entries, and the size of the part of the file that contains them.
func read(path string) (entries []Entry, size int64, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the journal: %w", err)
	}
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			break // incomplete last line
		}
		var e Entry
		switch err := json.Unmarshal(data[:end], &e); {
		case err != nil && end+1 == len(data):
			return entries, size, nil // incomplete last line: the file size reached the disk before the contents
		case err != nil:
			return nil, 0, fmt.Errorf("%w: %s, line %d: %w", ErrDamaged, path, len(entries)+1, err)
		case e.Seq != len(entries)+1:
			return nil, 0, fmt.Errorf("%w: %s, line %d has the sequence number %d", ErrDamaged, path, len(entries)+1, e.Seq)
		}
		entries = append(entries, e)
		size += int64(end) + 1
		data = data[end+1:]
	}
	return entries, size, nil
}
