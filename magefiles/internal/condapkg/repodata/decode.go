package repodata

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Decode decodes a repodata.json and returns the records of .conda files, and of the formats in `also`, for the named packages or all, sorted by file
// name. It decodes one record at a time, and keeps only the requested ones. Errors: ErrLimit, ErrLies.
func (l Limits) Decode(r io.Reader, names []string, also ...Format) ([]condapkg.Record, error) {
	found := &list{limits: l, names: names, records: map[string]condapkg.Record{}, removed: map[string]bool{}}
	d := &jsonIndex{list: found, whole: l.limitReader(r), bz2: slices.Contains(also, TarBz2)}
	if err := d.read(); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("reading repodata.json: %w", err)
	}
	return found.sortRecords(), nil
}

// jsonIndex decodes a repodata.json.
type jsonIndex struct {
	*list
	whole *meter
	piece *meter
	*json.Decoder
	bz2 bool
}

// read decodes the top-level object.
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

// `each` decodes an object and calls f for each key, or decodes an array with the names of removed files.
func (d *jsonIndex) each(open json.Delim, f func(key string) error) error {
	t, err := d.token()
	if err != nil || t == nil { // JSON null
		return err
	}
	if t != open {
		return &lieError{text: fmt.Sprintf("found %.40q where an index must begin with %q", fmt.Sprint(t), open)}
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
			return &lieError{text: fmt.Sprintf("found %.40q where a file name was expected", fmt.Sprint(t))}
		case f != nil:
			if err := f(text); err != nil {
				return err
			}
		case n >= d.limits.Records:
			return tooMuchError("it lists more removed files than the limit of %d", d.limits.Records)
		case wanted(text, d.names):
			d.removed[text] = true
		}
	}
}

// token returns the next token, whose size is limited to that of a record.
func (d *jsonIndex) token() (json.Token, error) {
	d.mayRead()
	return d.Token()
}

// mayRead limits the size of the next value, because the decoder keeps the whole value in memory.
func (d *jsonIndex) mayRead() { d.piece.most = d.InputOffset() + 2*d.limits.Record + 64<<10 }

// record decodes a record, and skips it if it is not requested.
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

// skip skips a value of any size. Its parts are limited to the size of a record.
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
			return tooMuchError("a part of it has more values than the limit of %d", d.limits.Records)
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

// `more` reports whether the current object or array has more elements.
func (d *jsonIndex) more() bool {
	d.mayRead()
	return d.More()
}
