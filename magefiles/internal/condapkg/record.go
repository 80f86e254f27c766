package condapkg

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"sync"
)

// Record is an artifact's repodata entry: its index.json and the archive's digests. The JSON encoding matches rattler_index: keys are sorted, and
// null or empty fields are omitted, except depends.
type Record struct {
	Index
	MD5        string // hex
	SHA256     string // hex
	Size       int64  // bytes
	RunExports *RunExports
}

// RunExports is info/run_exports.json: dependencies that are added to packages built against this one.
type RunExports struct {
	Noarch           []string `json:"noarch,omitempty"`
	Strong           []string `json:"strong,omitempty"`
	StrongConstrains []string `json:"strong_constrains,omitempty"`
	Weak             []string `json:"weak,omitempty"`
	WeakConstrains   []string `json:"weak_constrains,omitempty"`
}

// channelKeys are fields that only a channel may set. They are dropped if an index.json has them.
var channelKeys = []string{
	"md5", "sha256", "size", "run_exports", "url", "fn", "channel", "legacy_bz2_md5", "legacy_bz2_size",
	"attestations_sha256", "indexed_timestamp", "repodata_revision",
}

// Inspect returns the record of an archive on disk. It reads the file once for the digests, and then the files under info/. It does not check the
// file's name (see [Index.CheckFileName]) or the payload (see [Archive.Check]).
func Inspect(path string) (Record, error) { return inspect(path, NewDigester()) }

// Identify is like Inspect, but omits the MD5, which only a channel's index needs, and which takes longer than everything else.
func Identify(path string) (Record, error) { return inspect(path, &Digester{sha256: sha256.New()}) }

func inspect(path string, d *Digester) (Record, error) {
	f, err := os.Open(path)
	if err != nil {
		return Record{}, err
	}
	defer f.Close()
	if _, err := d.ReadFrom(f); err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", path, err)
	}
	a, err := New(f, d.Size(), DefaultLimits)
	if err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", path, err)
	}
	r, err := a.Record(d)
	if err != nil {
		return Record{}, fmt.Errorf("reading %s: %w", path, err)
	}
	return r, nil
}

// Record returns the record of an archive whose bytes were written to d.
func (a *Archive) Record(d *Digester) (Record, error) {
	r := Record{Index: a.Index(), MD5: d.MD5(), SHA256: d.SHA256(), Size: d.Size()}
	extra := map[string]json.RawMessage{}
	for key, raw := range r.Extra {
		extra[key] = raw
	}
	for _, key := range channelKeys {
		delete(extra, key)
	}
	if r.Extra = extra; len(extra) == 0 {
		r.Extra = nil
	}
	if _, ok := a.info["info/run_exports.json"]; ok {
		r.RunExports = &RunExports{}
	}
	return r, a.readJSON("info/run_exports.json", &r.RunExports)
}

// UnmarshalJSON reads a record of a repodata.json.
func (r *Record) UnmarshalJSON(b []byte) error {
	o, err := parseObject(b)
	if err != nil {
		return err
	}
	*r = Record{}
	for key, to := range map[string]any{"md5": &r.MD5, "sha256": &r.SHA256, "size": &r.Size, "run_exports": &r.RunExports} {
		if err := o.take(key, to); err != nil {
			return err
		}
	}
	if err := r.take(o); err != nil {
		return err
	}
	r.Extra = o.rest()
	return nil
}

// Fields returns the record's non-empty values by repodata key, for encoding. The caller may modify the map.
func (r *Record) Fields() map[string]any {
	m := r.fields()
	for key, s := range map[string]string{"md5": r.MD5, "sha256": r.SHA256} {
		if s != "" {
			m[key] = s
		}
	}
	if r.Size != 0 {
		m["size"] = r.Size
	}
	if r.RunExports != nil {
		m["run_exports"] = r.RunExports
	}
	return m
}

// MarshalJSON writes the record on one line.
func (r Record) MarshalJSON() ([]byte, error) { return encode(r.Fields()) }

// JSON returns the record on one line. Unlike json.Marshal, it does not escape "<" and ">".
func (r *Record) JSON() []byte {
	b, err := encode(r.Fields())
	if err != nil {
		panic(err) // unreachable: Extra contains parsed JSON
	}
	return b
}

// Digester is a writer that computes a record's digests.
type Digester struct {
	sha256 hash.Hash
	md5    hash.Hash // nil if it is not needed
	size   int64
}

// NewDigester returns a new digester.
func NewDigester() *Digester { return &Digester{sha256: sha256.New(), md5: md5.New()} }

func (d *Digester) Write(p []byte) (int, error) {
	d.size += int64(len(p))
	if d.md5 == nil {
		return d.sha256.Write(p)
	}
	if len(p) < 16<<10 {
		d.sha256.Write(p)
		return d.md5.Write(p)
	}
	var other sync.WaitGroup // MD5 takes longer than everything else
	other.Go(func() { d.md5.Write(p) })
	d.sha256.Write(p)
	other.Wait()
	return len(p), nil
}

// ReadFrom digests r's content, in chunks that are large enough to compute both digests in parallel.
func (d *Digester) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{d}, struct{ io.Reader }{r}, make([]byte, 256<<10))
}

// SHA256 returns the digest of the bytes written so far, in hex.
func (d *Digester) SHA256() string { return hex.EncodeToString(d.sha256.Sum(nil)) }

// MD5 returns the digest of the bytes written so far, in hex; "" if it is not computed.
func (d *Digester) MD5() string {
	if d.md5 == nil {
		return ""
	}
	return hex.EncodeToString(d.md5.Sum(nil))
}

// Size returns the number of bytes written so far.
func (d *Digester) Size() int64 { return d.size }
