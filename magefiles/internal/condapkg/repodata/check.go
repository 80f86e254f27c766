package repodata

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// ErrLies is in the chain of an error about an index with invalid records. Retrying does not help.
var ErrLies = errors.New("the index is not valid")

type lieError struct{ text string }

func (e *lieError) Error() string      { return e.text }
func (*lieError) Is(target error) bool { return target == ErrLies }

// mostTexts limits the number of dependencies and similar strings in a record, because an empty string takes five times as much memory as in the
// file.
const mostTexts = 10_000

// check returns an ErrLies if a record is invalid. Fields of a record become parts of paths, URLs and messages. A requested package's record must
// match its file name.
func check(file string, r *condapkg.Record, asked bool) error {
	err := r.Safe()
	stem, ok := strings.CutSuffix(file, condapkg.Ext)
	if !ok {
		stem, ok = strings.CutSuffix(file, ".tar.bz2")
	}
	switch {
	case err != nil:
	case asked && (!ok || stem != r.Stem()):
		err = fmt.Errorf("name, version and build in the record are those of %.120q", r.Stem())
	case r.BuildNumber < 0:
		err = fmt.Errorf("the build number is negative: %d", r.BuildNumber)
	case len(r.Depends)+len(r.Constrains)+len(r.TrackFeatures)+len(r.Purls) > mostTexts:
		err = fmt.Errorf("the record has more than %d dependencies", mostTexts)
	default:
		texts := slices.Concat(r.Depends, r.Constrains, r.TrackFeatures, []string{r.License, r.LicenseFamily, r.Arch, r.Platform, r.Features, r.PythonSitePackagesPath})
		at := slices.IndexFunc(texts, func(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) })
		if at < 0 {
			return nil
		}
		err = fmt.Errorf("%.120q has a control character", texts[at])
	}
	return &lieError{text: fmt.Sprintf("the record %.120q is refused: %v", file, err)}
}

// wanted reports whether a file may belong to one of the named packages. It returns true if there are no names.
func wanted(file string, names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		rest, ok := strings.CutPrefix(file, name+"-")
		return ok && strings.Count(rest, "-") == 1
	})
}

// list collects the records of an index.
type list struct {
	limits  Limits
	names   []string // requested packages; empty for all
	asked   bool     // all records belong to a requested package
	seen    int
	records map[string]condapkg.Record // by file name
	removed map[string]bool
}

// `next` reports whether a file's record is requested. It returns an error if the index has too many records.
func (l *list) next(file string) (bool, error) {
	if l.seen++; l.seen > l.limits.Records {
		return false, tooMuchError("it has more records than the limit of %d", l.limits.Records)
	}
	return wanted(file, l.names), nil
}

// add adds a record if it is valid.
func (l *list) add(file string, text []byte) error {
	if int64(len(text)) > l.limits.Record {
		return tooMuchError("the record of %.200q is larger than the limit of %d bytes", file, l.limits.Record)
	}
	var r condapkg.Record
	err := r.UnmarshalJSON(text)
	if err != nil {
		err = &lieError{text: fmt.Sprintf("the record %.120q is refused, because it cannot be read: %.200q", file, err.Error())}
	} else {
		err = check(file, &r, l.asked || len(l.names) > 0)
	}
	switch {
	case err == nil:
		l.records[file] = r
	case l.limits.Strict:
		return err
	}
	return nil
}

// sortRecords returns the records sorted by file name.
func (l *list) sortRecords() []condapkg.Record {
	for file := range l.removed {
		delete(l.records, file)
	}
	return sortedRecords(l.records)
}
