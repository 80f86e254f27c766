package repodata

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Decode reads a repodata.json and returns the records of .conda files, and of those of other formats that are named, in the
// order of their file names: of the packages named, or of all. It is read record by record, and only those are kept.
// Errors: ErrLimit, ErrLies.
func (l Limits) Decode(r io.Reader, names []string, also ...Format) ([]condapkg.Record, error) {
	found := &list{limits: l, names: names, records: map[string]condapkg.Record{}, removed: map[string]bool{}}
	d := &jsonIndex{list: found, whole: l.bounded(r), bz2: slices.Contains(also, TarBz2)}
	if err := d.read(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("reading repodata.json: %w", err)
	}
	return found.sorted(), nil
}

// jsonIndex reads a repodata.json.
type jsonIndex struct {
	*list
	whole *meter
	piece *meter
	*json.Decoder
	bz2 bool
}

// read reads the object that all of it is.
func (d *jsonIndex) read() error {
	d.piece = &meter{r: d.whole, what: "a part of it"}
	d.Decoder = json.NewDecoder(d.piece)
	return d.each('{', func(key string) error {
		switch {
		case key == "packages.conda", key == "packages" && d.bz2:
			return d.each('{', d.record)
		case key == "removed":
			return d.each('[', nil)
		}
		return d.skip()
	})
}

// each reads an object, for whose keys it calls f, or an array of strings, which are the files that were removed.
func (d *jsonIndex) each(open json.Delim, f func(key string) error) error {
	t, err := d.token()
	if err != nil || t == nil { // null
		return err
	}
	if t != open {
		return &lieError{text: fmt.Sprintf("%.40q stands where %q begins an index", fmt.Sprint(t), open)}
	}
	for n := 0; ; n++ {
		t, err := d.token()
		text, ok := t.(string)
		switch {
		case err != nil:
			return err
		case t == json.Delim('}'), t == json.Delim(']'):
			return nil
		case !ok:
			return &lieError{text: fmt.Sprintf("%.40q stands where the name of a file is expected", fmt.Sprint(t))}
		case f != nil:
			if err := f(text); err != nil {
				return err
			}
		case n >= d.limits.Records:
			return tooMuch("it tells of more than %d removed files, which is more than is read", d.limits.Records)
		case wanted(text, d.names):
			d.removed[text] = true
		}
	}
}

// token is the next one. None is larger than a record may be.
func (d *jsonIndex) token() (json.Token, error) {
	d.mayRead()
	return d.Token()
}

// mayRead bounds what is read of the next value, as the decoder holds all of it.
func (d *jsonIndex) mayRead() { d.piece.most = d.InputOffset() + 2*d.limits.Record + 64<<10 }

// record reads one, and leaves out those that nobody asks for.
func (d *jsonIndex) record(file string) error {
	keep, err := d.next(file)
	if err != nil {
		return err
	}
	d.mayRead()
	var text json.RawMessage
	if err := d.Decoder.Decode(&text); err != nil || !keep {
		return err
	}
	return d.add(file, text)
}

// skip reads over a value of any size, whose parts are none larger than a record may be.
func (d *jsonIndex) skip() error {
	t, err := d.token()
	if err != nil {
		return err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	for n := 0; d.more(); n++ {
		if n >= d.limits.Records {
			return tooMuch("a part of it has more than %d values, which is more than is read", d.limits.Records)
		}
		if open == '{' {
			if _, err := d.token(); err != nil {
				return err
			}
			d.mayRead()
		}
		var text json.RawMessage
		if err := d.Decoder.Decode(&text); err != nil {
			return err
		}
	}
	_, err = d.token()
	return err
}

// more reports whether an object or an array goes on.
func (d *jsonIndex) more() bool {
	d.mayRead()
	return d.More()
}
