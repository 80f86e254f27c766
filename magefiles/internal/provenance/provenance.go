// Package provenance keeps what a clone knows of the artifacts that were built in it: of which commit, by which tools. An artifact
// without a record is a file that somebody put there, and is not published.
//
// Records lie in the clone's git folder and never beside the artifacts: whoever can plant a file there could plant its record (provenance.go). The
// list beside them is for whoever tidies up (made.go).
package provenance

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
)

// BuildRecord is what is known of one artifact. Clones have records that older versions wrote: a field that is added is zero there, and the
// function recordOf of package publish reports whether such a one still counts. A field is never given another meaning.
type BuildRecord struct {
	SHA256  string `json:"sha256"` // hex
	Package string `json:"package"`
	File    string `json:"file"`
	Commit  string `json:"commit"` // that it was built of
	Tree    string `json:"tree"`   // of that commit
	Tools   string `json:"tools"`  // toolchain, and the versions of what built it

	Reproducible bool `json:"reproducible"` // the same tools would give the same bytes
}

// Store is a folder of records. The zero value, and nil, have none and keep none: outside of git nothing is known.
type Store struct{ Dir string }

// most is how many records are kept; with more, the oldest go.
const most = 2000

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Keep writes records down.
func (s *Store) Keep(records ...BuildRecord) error {
	if s == nil || s.Dir == "" || len(records) == 0 {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	for _, r := range records {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := atomicfile.WriteFile(s.path(r.SHA256), append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	return s.prune()
}

// Of returns the record of the bytes with a sha256, or false where there is none, or half of one. That a file cannot be read is an error.
func (s *Store) Of(sha256 string) (r BuildRecord, known bool, err error) {
	if s == nil || s.Dir == "" || !digest.MatchString(sha256) {
		return r, false, nil
	}
	data, err := os.ReadFile(s.path(sha256))
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err != nil {
		return r, false, err
	}
	if json.Unmarshal(data, &r) != nil || r.SHA256 != sha256 {
		//lint:ignore nilerr a power cut leaves such a file; what it was of is built again
		return BuildRecord{}, false, nil
	}
	return r, true, nil
}

func (s *Store) path(sha256 string) string { return filepath.Join(s.Dir, sha256+".json") }

// prune removes the oldest records where there are too many.
func (s *Store) prune() error {
	entries, err := os.ReadDir(s.Dir)
	if err != nil || len(entries) <= most {
		return err
	}
	type aged struct {
		name string
		time int64
	}
	var all []aged
	for _, e := range entries {
		if info, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".json" {
			all = append(all, aged{e.Name(), info.ModTime().UnixNano()})
		}
	}
	slices.SortFunc(all, func(a, b aged) int { return int(min(1, max(-1, a.time-b.time))) })
	for _, old := range all[:max(0, len(all)-most)] {
		if err := os.Remove(filepath.Join(s.Dir, old.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
