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

// The journal of ReplaceAll is one line of JSON, which lists the files, and behind it the old and the new contents of each.
// It is renamed into place, so that a journal that is there is whole.
type journalHead struct {
	Format int           `json:"format"`
	Note   string        `json:"note"`
	SHA256 string        `json:"sha256"` // of everything behind the line
	Files  []journalFile `json:"files"`
}

// journalFile has the lengths of the contents, -1 for a file that is not there.
type journalFile struct {
	Path string `json:"path"`
	Old  int    `json:"old"`
	New  int    `json:"new"`
}

const journalNote = "files were being replaced as one; until this file is gone, some may be new and others old. The next run takes it back."

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
		return nil, fmt.Errorf("%s is no journal that this version can read", path)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != head.SHA256 {
		return nil, fmt.Errorf("%s is damaged: its contents do not have the digest that it gives", path)
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
			return nil, fmt.Errorf("%s is damaged: it is too short", path)
		}
		changes = append(changes, Change{Path: f.Path, Old: take(f.Old), New: take(f.New)})
	}
	return changes, nil
}

// lock keeps two processes apart that use one journal. The kernel lets go of it when a process dies.
func lock(journal string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(journal), 0o755); err != nil {
		return nil, err
	}
	f, err := filelock.Take(journal + ".lock")
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("%w: it holds %s", ErrBusy, journal+".lock")
	}
	if err != nil {
		return nil, err
	}
	return func() { _ = filelock.Release(f) }, nil
}

// Busy reports whether another process is replacing files by a journal, or taking back what it has of them. It makes nothing.
func Busy(journal string) (bool, error) { return filelock.Held(journal + ".lock") }
