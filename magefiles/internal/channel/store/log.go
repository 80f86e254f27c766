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

// recordLog remembers the records of a subdir, one on a line behind a checksum of it. It is a cache and not synced: what
// is lost of it, or does not agree with the file it speaks of, is read from the archive instead.
type recordLog struct {
	path  string
	file  *os.File // nil until something is appended
	lines int      // in the file when it was read
	stale bool     // the file lacks something that is kept
	kept  []logged
}

// logged is a line of the log: a record and the file that it was made of, or that a file is gone.
type logged struct {
	File   string          `json:"file"`
	Gone   bool            `json:"gone,omitempty"`
	Time   int64           `json:"time,omitempty"` // of the file's last change, in nanoseconds since 1970
	Record condapkg.Record `json:"record,omitzero"`
	read   bool            // came from the file
}

func newLogged(r condapkg.Record, st fs.FileInfo) logged {
	return logged{File: r.FileName(), Time: st.ModTime().UnixNano(), Record: r}
}

// matches reports whether the file is still the one that the record was made of.
func (r logged) matches(st fs.FileInfo) bool {
	return r.Time == st.ModTime().UnixNano() && r.Record.Size == st.Size() && r.Record.FileName() == r.File
}

// line is the log's form of r.
func (r logged) line() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "%08x %s\n", crc32.ChecksumIEEE(text), text), nil
}

// read returns what the log says of each file. Lines that are damaged do not count.
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

// keep says that a record is to be in the log.
func (l *recordLog) keep(r logged) {
	l.kept = append(l.kept, r)
	l.stale = l.stale || !r.read
}

// compact writes the log anew where it lacks something, or is mostly of the past.
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

// append adds a line.
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
