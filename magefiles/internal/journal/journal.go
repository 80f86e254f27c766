// Package journal keeps records of a run on the disk, so that another run can tell what it did: append-only, one JSON
// object a line, each synced before the next thing is done. It knows nothing of what the records mean.
//
// A journal is for one plan. Each record bears the digest of that plan and the version of the tool that wrote it. The last
// line may be torn, by a kill or a loss of power: it was never acknowledged, readers leave it out, and Open cuts it off. A
// line that is damaged elsewhere is an error, since whatever followed it was acknowledged.
//
// Only one process may append. That is for [Lock] to see to, which the kernel releases when its process ends.
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

// ErrDamaged is in the chain of an error about a journal that cannot be read.
var ErrDamaged = errors.New("the journal is damaged")

// Entry is one line.
type Entry struct {
	Seq  int             `json:"seq"`  // from 1, without gaps
	Time time.Time       `json:"time"` // UTC
	Tool string          `json:"tool"` // version of the tool that wrote it
	Plan string          `json:"plan"` // digest of the plan that the journal is for
	Kind string          `json:"kind"` // what Body is
	Body json.RawMessage `json:"body"`
}

// Journal is open for appending.
type Journal struct {
	Path       string
	Tool, Plan string           // of the entries that are appended
	Now        func() time.Time // nil is the clock

	file *os.File
	size int64
	seq  int
}

// Create makes a journal whose first entries are there as a whole or not at all. It must not exist.
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
		return nil, fmt.Errorf("making the journal: %w", err)
	}
	return j, j.open(path)
}

// Open continues a journal, and returns what is in it.
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

// Read returns what is in a journal. That it is not there is os.ErrNotExist.
func Read(path string) ([]Entry, error) {
	entries, _, err := read(path)
	return entries, err
}

// Append writes an entry, and returns when the disk has it. After an error the journal is as it was before.
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

// Close lets go of the file.
func (j *Journal) Close() error { return j.file.Close() }

func (j *Journal) open(path string) (err error) {
	j.Path = path
	if j.file, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	j.size, err = j.file.Seek(0, io.SeekEnd)
	return err
}

// cut leaves the first size bytes.
func (j *Journal) cut(size int64) error {
	j.size = size
	if err := j.file.Truncate(size); err != nil {
		return fmt.Errorf("cutting what was torn off the journal: %w", err)
	}
	return j.file.Sync()
}

// line completes an entry, and counts it.
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

// read returns the entries, and how many bytes of the file they are.
func read(path string) (entries []Entry, size int64, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("reading the journal: %w", err)
	}
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			break // torn
		}
		var e Entry
		switch err := json.Unmarshal(data[:end], &e); {
		case err != nil && end+1 == len(data):
			return entries, size, nil // torn: its length was on the disk before its contents
		case err != nil:
			return nil, 0, fmt.Errorf("%w: %s, line %d: %w", ErrDamaged, path, len(entries)+1, err)
		case e.Seq != len(entries)+1:
			return nil, 0, fmt.Errorf("%w: %s, line %d has the number %d", ErrDamaged, path, len(entries)+1, e.Seq)
		}
		entries = append(entries, e)
		size += int64(end) + 1
		data = data[end+1:]
	}
	return entries, size, nil
}
