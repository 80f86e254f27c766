package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

const logFile = ".records.log"

// recordLog caches the records of a subdir, one per line, each preceded by its checksum. It is not synced: if a record is missing or does not
// match its file, the record is read from the archive.
type recordLog struct {
	path  string
	file  *os.File // nil until the first append
	lines int      // number of lines when the file was read
	stale bool     // the file has a damaged line, or lacks a record that is in `kept`
	kept  []logged
}

// logged is a line of the log: either a file and its record, or a file that was removed.
type logged struct {
	File   string          `json:"file"`
	Gone   bool            `json:"gone,omitempty"`
	Time   int64           `json:"time,omitempty"` // the file's modification time, in nanoseconds since 1970
	Record condapkg.Record `json:"record,omitzero"`
	read   bool            // whether this entry was read from the log file
}

func newLogged(r condapkg.Record, st fs.FileInfo) logged {
	return logged{File: r.FileName(), Time: st.ModTime().UnixNano(), Record: r}
}

// matches reports whether the file has not changed since its record was made.
func (r logged) matches(st fs.FileInfo) bool {
	return r.Time == st.ModTime().UnixNano() && r.Record.Size == st.Size() && r.Record.FileName() == r.File
}

// line encodes r as a line of the log.
func (r logged) line() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text), nil
}

// read returns the last entry for each file. It skips damaged lines.
func (l *recordLog) read() map[string]logged {
	known := map[string]logged{}
	data, err := os.ReadFile(l.path)
	if err != nil {
		return known
	}
	for line := range bytes.Lines(data) {
		l.lines++
		sum, text, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
		if !ok || string(sum) != fmt.Sprintf("%08x", crc32.ChecksumIEEE(text)) {
			l.stale = true
			continue
		}
		var r logged
		if json.Unmarshal(text, &r) != nil {
			l.stale = true
			continue
		}
		r.read = true
		known[r.File] = r
	}
	return known
}

// keep adds a record that compact writes if it rewrites the log.
func (l *recordLog) keep(r logged) {
	l.kept = append(l.kept, r)
	l.stale = l.stale || !r.read
}

// compact rewrites the log if it has damaged lines, lacks records, or consists mostly of outdated lines.
func (l *recordLog) compact() error {
	kept := l.kept
	l.kept = nil
	if !l.stale && l.lines <= 2*len(kept)+64 {
		return nil
	}
	var b bytes.Buffer
	for _, r := range kept {
		line, err := r.line()
		if err != nil {
			return err
		}
		b.Write(line)
	}
	return atomicfile.WriteFile(l.path, b.Bytes(), 0o644)
}

// append appends a line to the file.
func (l *recordLog) append(r logged) error {
	line, err := r.line()
	if err != nil {
		return err
	}
	if l.file == nil {
		if l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644); err != nil {
			return err
		}
	}
	_, err = l.file.Write(line)
	return err
}

func (l *recordLog) close() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
