package repodata

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// DecodeShards decodes an index of shards. Errors: ErrLimit, ErrLies.
func (l Limits) DecodeShards(r io.Reader) (ShardIndex, error) {
	x := ShardIndex{Shards: map[string]Digest{}}
	err := l.unpack(r, func(d *unpacker, key string) error {
		switch key {
		case "info":
			info, err := d.object()
			for key, to := range map[string]*string{"subdir": &x.Subdir, "base_url": &x.BaseURL, "shards_base_url": &x.ShardsBaseURL} {
				*to, _ = info[key].(string)
			}
			return err
		case "shards":
			return d.each(func(name string) error {
				sum, err := d.bytes(l.Record)
				switch {
				case err != nil:
					return err
				case len(sum) != sha256.Size:
					return &lieError{text: fmt.Sprintf("the digest of %.120q has %d bytes instead of 32", name, len(sum))}
				case len(x.Shards) >= l.Records:
					return tooMuchError("it has more names than the limit of %d", l.Records)
				}
				x.Shards[name] = Digest(sum)
				return nil
			})
		}
		_, err := d.value(0)
		return err
	})
	if err != nil {
		return ShardIndex{}, fmt.Errorf("reading %s: %w", Shards, err)
	}
	return x, nil
}

// DecodeShard decodes a package's shard like Decode, and verifies its digest. If name is not "", a record of another package is an ErrLies. Errors:
// ErrLimit, ErrLies.
func (l Limits) DecodeShard(r io.Reader, want Digest, name string, also ...Format) ([]condapkg.Record, error) {
	sum := sha256.New()
	found := &list{limits: l, asked: name != "", records: map[string]condapkg.Record{}, removed: map[string]bool{}}
	err := l.unpack(io.TeeReader(r, sum), func(d *unpacker, key string) error {
		switch {
		case key == "packages.conda", key == "packages" && slices.Contains(also, TarBz2):
			return d.each(func(file string) error { return d.record(found, file) })
		case key == "removed":
			files, err := d.value(0)
			list, _ := files.([]any)
			for _, file := range list {
				if text, ok := file.(string); ok {
					found.removed[text] = true
				}
			}
			return err
		}
		_, err := d.value(0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading a shard: %w", err)
	}
	if got := Digest(sum.Sum(nil)); got != want {
		return nil, fmt.Errorf("reading a shard: expected sha256 %[2]x, found %[1]x", got, want)
	}
	records := found.sortRecords()
	for _, r := range records {
		if name != "" && r.Name != name {
			return nil, fmt.Errorf("reading a shard: %w", &lieError{text: fmt.Sprintf("the shard of %.120q has a record of %.120q", name, r.Name)})
		}
	}
	return records, nil
}

// unpacker decodes MessagePack, in which a few bytes can announce any number of values.
type unpacker struct {
	*msgpack.Decoder
	left int   // number of values that may follow
	most int64 // maximum size of a string, in bytes
}

// unpack decompresses a file, and calls f for each key of its map. It reads to the end of the stream, so that a digest covers everything.
func (l Limits) unpack(r io.Reader, f func(d *unpacker, key string) error) error {
	l.Size = min(l.Size, Own.Size) // a shard is for one package, and the index of shards is short in any channel
	z, err := l.Decompress(r)
	if err != nil {
		return err
	}
	defer z.Close()
	d := &unpacker{Decoder: msgpack.NewDecoder(z), most: l.Record}
	err = d.each(func(key string) error {
		d.left, d.most = mostValues, l.Record
		return f(d, key)
	})
	if err != nil {
		return err
	}
	if _, err = io.Copy(io.Discard, z); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, l.limitReader(r))
	return err
}

// mostValues limits the number of values in a record, or in a part of an index other than the records.
const mostValues = 64 << 10

// bytes decodes a string or binary value of at most `most` bytes.
func (d *unpacker) bytes(most int64) ([]byte, error) {
	n, err := d.DecodeBytesLen()
	switch {
	case err != nil || n < 0: // MessagePack nil
		return nil, err
	case int64(n) > most:
		return nil, tooMuchError("a string has %d bytes, which is more than the limit", n)
	}
	text := make([]byte, n)
	return text, d.ReadFull(text)
}

// record decodes a record.
func (d *unpacker) record(found *list, file string) error {
	if _, err := found.next(file); err != nil {
		return err
	}
	d.left = mostValues
	fields, err := d.object()
	if err != nil {
		return err
	}
	for _, key := range []string{"md5", "sha256", "attestations_sha256"} {
		if sum, ok := fields[key].([]byte); ok {
			fields[key] = hex.EncodeToString(sum)
		}
	}
	text, err := json.Marshal(fields)
	if err != nil { // for example, NaN
		return &lieError{text: fmt.Sprintf("the record of %.200q cannot be read: %.200q", file, err.Error())}
	}
	return found.add(file, text)
}

// object decodes a map.
func (d *unpacker) object() (map[string]any, error) {
	v, err := d.value(0)
	m, ok := v.(map[string]any)
	if err == nil && !ok {
		err = &lieError{text: "expected a map, found another type"}
	}
	return m, err
}

// `each` calls f for each key of a map. f must decode the value.
func (d *unpacker) each(f func(key string) error) error {
	n, err := d.DecodeMapLen()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for range max(n, 0) {
		text, err := d.bytes(d.most)
		if err != nil {
			return err
		}
		key := string(text)
		if seen[key] {
			return &lieError{text: fmt.Sprintf("the key %.120q occurs twice", key)}
		}
		seen[key] = true
		if err := f(key); err != nil {
			return err
		}
	}
	return nil
}

// value decodes any value.
func (d *unpacker) value(depth int) (any, error) {
	if d.left--; d.left < 0 {
		return nil, tooMuchError("a record has more values than the limit of %d", mostValues)
	}
	if depth > deepest {
		return nil, tooMuchError("values are nested more than %d levels deep", deepest)
	}
	code, err := d.PeekCode()
	if err != nil {
		return nil, err
	}
	switch {
	case msgpcode.IsFixedMap(code), code == msgpcode.Map16, code == msgpcode.Map32:
		m := map[string]any{}
		err := d.each(func(key string) (err error) {
			m[key], err = d.value(depth + 1)
			return err
		})
		return m, err
	case msgpcode.IsFixedArray(code), code == msgpcode.Array16, code == msgpcode.Array32:
		n, err := d.DecodeArrayLen()
		all := []any{}
		for range max(n, 0) {
			if err != nil {
				break
			}
			var v any
			v, err = d.value(depth + 1)
			all = append(all, v)
		}
		return all, err
	case msgpcode.IsString(code):
		text, err := d.bytes(d.most)
		return string(text), err
	case msgpcode.IsBin(code):
		return d.bytes(d.most)
	case msgpcode.IsExt(code):
		return nil, errors.New("a value has a type that does not occur in indexes")
	}
	return d.DecodeInterface()
}
