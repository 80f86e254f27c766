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

// Record is the repodata entry of an artifact: its index.json, and the digests of the archive. JSON is written as
// rattler_index writes it: keys sorted, what is null or empty left out, but for depends.
type Record struct {
	Index
	MD5        string // hex
	SHA256     string // hex
	Size       int64  // bytes
	RunExports *RunExports
}

// RunExports is info/run_exports.json: the dependencies that a package hands on to those who build against it.
type RunExports struct {
	Noarch           []string `json:"noarch,omitempty"`
	Strong           []string `json:"strong,omitempty"`
	StrongConstrains []string `json:"strong_constrains,omitempty"`
	Weak             []string `json:"weak,omitempty"`
	WeakConstrains   []string `json:"weak_constrains,omitempty"`
}

// channelKeys are fields that only a channel may set: an index.json that has them does not get them into the record.
var channelKeys = []string{
	"md5", "sha256", "size", "run_exports", "url", "fn", "channel", "legacy_bz2_md5", "legacy_bz2_size",
	"attestations_sha256", "indexed_timestamp", "repodata_revision",
}

// Inspect reads an archive on the disk and returns its record: one pass for the digests, and then what is under info/.
// It does not look at the file's name ([Index.CheckFileName] does) nor at the payload ([Archive.Check] does).
func Inspect(path string) (Record, error) { return inspect(path, NewDigester()) }

// Identify is Inspect without the MD5, which only the index of a channel needs, and which takes longer than all the rest.
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

// Record makes the record of an archive whose bytes went through d.
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

// Fields are the values of the record by their keys in repodata, without those that are empty: what any encoding of it
// starts from. The caller may change the map.
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

// JSON is the record on one line, with "<" and ">" as themselves, which json.Marshal would escape.
func (r *Record) JSON() []byte {
	b, err := encode(r.Fields())
	if err != nil {
		panic(err) // Extra holds JSON that was parsed
	}
	return b
}

// Digester is a writer that computes the digests a record needs of what is written to it.
type Digester struct {
	sha256 hash.Hash
	md5    hash.Hash // nil where it is not wanted
	size   int64
}

// NewDigester returns one that has seen nothing.
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
	var other sync.WaitGroup // md5 takes longer than all the rest together
	other.Go(func() { d.md5.Write(p) })
	d.sha256.Write(p)
	other.Wait()
	return len(p), nil
}

// ReadFrom digests all that r reads, in pieces that are large enough to be worth the two digests' running side by side.
func (d *Digester) ReadFrom(r io.Reader) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{d}, struct{ io.Reader }{r}, make([]byte, 256<<10))
}

// SHA256 is the digest of what was written so far, in hex.
func (d *Digester) SHA256() string { return hex.EncodeToString(d.sha256.Sum(nil)) }

// MD5 is the digest of what was written so far, in hex; "" where it is not computed.
func (d *Digester) MD5() string {
	if d.md5 == nil {
		return ""
	}
	return hex.EncodeToString(d.md5.Sum(nil))
}

// Size is the number of bytes that were written so far.
func (d *Digester) Size() int64 { return d.size }
