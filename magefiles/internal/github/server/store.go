package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/github"
)

// state is the stored state, without file contents, in one JSON file.
type state struct {
	Format    int               `json:"format"`
	LastID    int64             `json:"lastID"`
	Releases  []*release        `json:"releases"` // oldest first, as in the lists below
	Runs      []*Run            `json:"runs"`
	Artifacts []*artifact       `json:"artifacts"`
	Pulls     []*pull           `json:"pulls,omitempty"`
	Tags      map[string]string `json:"tags"` // created by publishing: the commit of each tag
}

type release struct {
	ID         int64     `json:"id"`
	Tag        string    `json:"tag"`
	Target     string    `json:"target"`
	Name       string    `json:"name"`
	Body       string    `json:"body"`
	Draft      bool      `json:"draft"`
	Prerelease bool      `json:"prerelease"`
	Immutable  bool      `json:"immutable"`
	Latest     string    `json:"latest"`
	Created    time.Time `json:"created"`
	Published  time.Time `json:"published"`
	Times      int       `json:"times"` // how often the release was published
	Assets     []*asset  `json:"assets"`
}

type asset struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`
	State   string    `json:"state"` // starter, uploaded
	Size    int64     `json:"size"`
	SHA256  string    `json:"sha256"`
	Created time.Time `json:"created"`
}

type artifact struct {
	ID      int64     `json:"id"`
	Run     int64     `json:"run"`
	Name    string    `json:"name"`
	Size    int64     `json:"size"`
	Expired bool      `json:"expired"`
	Created time.Time `json:"created"`
}

const stateFile = "github.json"

func (s *Server) load() error {
	s.state = state{Format: 1, Tags: map[string]string{}}
	s.blobs = blobs{dir: s.Dir, data: map[int64][]byte{}}
	if s.Dir == "" {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.Dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &s.state); err != nil || s.state.Format != 1 {
		return fmt.Errorf("%s is not a state that this version can read", stateFile)
	}
	return nil
}

// save writes the state to disk. The caller holds the lock, and responds to the request only afterwards.
func (s *Server) save() error {
	if s.Dir == "" {
		return nil
	}
	text, err := json.MarshalIndent(s.state, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(filepath.Join(s.Dir, stateFile), text, 0o644)
}

func (s *Server) nextID() int64 {
	s.state.LastID++
	return s.state.LastID
}

// blobs stores the bytes of assets and artifacts by ID. IDs are never reused. A blob that is not in the state was left by a process that died, and
// is overwritten when its ID is assigned.
type blobs struct {
	dir  string
	data map[int64][]byte // used without a dir; guarded by the server's lock
}

func (b *blobs) path(id int64) string { return filepath.Join(b.dir, strconv.FormatInt(id, 10)+".blob") }

// put stores a completely received file.
func (b *blobs) put(id int64, data []byte) error {
	if b.dir == "" {
		b.data[id] = data
		return nil
	}
	return atomicfile.WriteFile(b.path(id), data, 0o644)
}

func (b *blobs) get(id int64) ([]byte, error) {
	if b.dir == "" {
		data, ok := b.data[id]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return data, nil
	}
	return os.ReadFile(b.path(id))
}

// receive reads a body, up to GitHub's size limit for an asset.
func receive(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, github.MaxAsset)) }
