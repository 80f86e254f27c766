// Package provenance stores a record of each artifact that was built in a clone: its commit and the tools. An artifact without a record is not
// published, because someone else may have put the file there.
//
// Records are stored in the clone's git directory and not beside the artifacts, because anyone who can plant an artifact could plant a record
// beside it (provenance.go). A list beside the artifacts only determines which files may be removed (made.go).
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

// BuildRecord describes one artifact. A clone may contain records that an older version wrote. Fields that were added later are zero in these
// records, and the function recordOf in package publish decides whether to accept them. Do not change the meaning of a field.
type BuildRecord struct {
	SHA256  string `json:"sha256"` // in hex
	Package string `json:"package"`
	File    string `json:"file"`
	Commit  string `json:"commit"` // commit that the artifact was built from
	Tree    string `json:"tree"`   // tree of the commit
	Tools   string `json:"tools"`  // toolchain, with the versions of its tools

	Reproducible bool `json:"reproducible"` // whether the same tools produce the same bytes
}

// Store is a folder of records. A nil or zero Store, which is used outside a git repository, contains no records and discards new ones.
type Store struct{ Dir string }

// `most` is the maximum number of records. If there are more, the oldest are removed.
const most = 2000

var digest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Keep writes records to the store.
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

// Of returns the record of the artifact with a sha256. It returns false if there is no record or if the record is truncated. It returns an error
// if the file cannot be read.
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
		//lint:ignore nilerr a power cut leaves such a file; its package is built again
		return BuildRecord{}, false, nil
	}
	return r, true, nil
}

func (s *Store) path(sha256 string) string { return filepath.Join(s.Dir, sha256+".json") }

// prune removes the oldest records if there are too many.
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
