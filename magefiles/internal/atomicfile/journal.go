package atomicfile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/atomicfile/filelock"
)

// journalHead is the first line of ReplaceAll's journal, in JSON. It is followed by the old and the new contents of each file. The journal is created
// by a rename, so an existing journal is always complete.
type journalHead struct {
	Format int           `json:"format"`
	Note   string        `json:"note"`
	SHA256 string        `json:"sha256"` // digest of everything after this line
	Files  []journalFile `json:"files"`
}

// journalFile has the lengths of the contents, or -1 if the file does not exist.
type journalFile struct {
	Path string `json:"path"`
	Old  int    `json:"old"`
	New  int    `json:"new"`
}

const journalNote = "A program is replacing several files. While this journal exists, some files may have new contents and others old contents. The next run restores the old contents."

func writeJournal(path string, changes []Change) error {
	head := journalHead{Format: 1, Note: journalNote}
	var body bytes.Buffer
	for _, c := range changes {
		head.Files = append(head.Files, journalFile{Path: c.Path, Old: length(c.Old), New: length(c.New)})
		body.Write(c.Old)
		body.Write(c.New)
	}
	sum := sha256.Sum256(body.Bytes())
	head.SHA256 = hex.EncodeToString(sum[:])
	line, err := json.Marshal(head)
	if err != nil {
		return err
	}
	return WriteFile(path, append(append(line, '\n'), body.Bytes()...), 0o644)
}

func length(data []byte) int {
	if data == nil {
		return -1
	}
	return len(data)
}

func readJournal(path string) ([]Change, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	line, body, _ := bytes.Cut(data, []byte("\n"))
	var head journalHead
	if err := json.Unmarshal(line, &head); err != nil || head.Format != 1 {
		return nil, fmt.Errorf("%s is not a journal that this version can read", path)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != head.SHA256 {
		return nil, fmt.Errorf("%s is damaged: its content does not match its digest", path)
	}
	var changes []Change
	take := func(n int) []byte {
		if n < 0 {
			return nil
		}
		data := body[:n:n]
		body = body[n:]
		return data
	}
	for _, f := range head.Files {
		if max(f.Old, 0)+max(f.New, 0) > len(body) {
			return nil, fmt.Errorf("%s is damaged: the file is too short", path)
		}
		changes = append(changes, Change{Path: f.Path, Old: take(f.Old), New: take(f.New)})
	}
	return changes, nil
}

// lock locks the journal against other processes. The kernel releases the lock when the process ends.
func lock(journal string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(journal), 0o755); err != nil {
		return nil, err
	}
	f, err := filelock.Take(journal + ".lock")
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("%w: the process holds the lock %s", ErrBusy, journal+".lock")
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = filelock.Release(f) }, nil
}

// Busy reports whether a process is using the journal to replace files, or to undo a replacement. It does not create any file.
func Busy(journal string) (bool, error) { return filelock.Held(journal + ".lock") }
