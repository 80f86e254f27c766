package repodata

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// ErrLies is in the chain of an error about an index whose records cannot be true. Reading it again does not help.
var ErrLies = errors.New("an index that lies")

type lieError struct{ text string }

func (e *lieError) Error() string      { return e.text }
func (*lieError) Is(target error) bool { return target == ErrLies }

// mostTexts is how many dependencies and the like a record may have: an empty one takes five times what it takes in the file.
const mostTexts = 10_000

// check says, as an ErrLies, what makes a record one that cannot be used: paths, addresses and sentences are made of what it
// says. One of a package that was asked for has to be what its file name says.
func check(file string, r *condapkg.Record, asked bool) error {
	err := r.Safe()
	stem, ok := strings.CutSuffix(file, condapkg.Ext)
	if !ok {
		stem, ok = strings.CutSuffix(file, ".tar.bz2")
	}
	switch {
	case err != nil:
	case asked && (!ok || stem != r.Stem()):
		err = fmt.Errorf("it says that it is %.120q", r.Stem())
	case r.BuildNumber < 0:
		err = fmt.Errorf("it has the build number %d", r.BuildNumber)
	case len(r.Depends)+len(r.Constrains)+len(r.TrackFeatures)+len(r.Purls) > mostTexts:
		err = fmt.Errorf("it has more than %d dependencies", mostTexts)
	default:
		texts := slices.Concat(r.Depends, r.Constrains, r.TrackFeatures, []string{r.License, r.LicenseFamily, r.Arch, r.Platform, r.Features, r.PythonSitePackagesPath})
		at := slices.IndexFunc(texts, func(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) })
		if at < 0 {
			return nil
		}
		err = fmt.Errorf("it has %.120q, with a control character in it", texts[at])
	}
	return &lieError{text: fmt.Sprintf("the record %.120q is refused: %v", file, err)}
}

// wanted reports whether the file of a package with one of the names may stand under this file name; without names all may.
func wanted(file string, names []string) bool {
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		rest, ok := strings.CutPrefix(file, name+"-")
		return ok && strings.Count(rest, "-") == 1
	})
}

// list collects the records of an index.
type list struct {
	limits  Limits
	names   []string // that are asked for; none for all
	asked   bool     // all are of a package that is asked for
	seen    int
	records map[string]condapkg.Record // by file name
	removed map[string]bool
}

// next reports whether the record of a file is asked for, and that there are too many.
func (l *list) next(file string) (bool, error) {
	if l.seen++; l.seen > l.limits.Records {
		return false, tooMuch("it has more than %d records, which is more than is read", l.limits.Records)
	}
	return wanted(file, l.names), nil
}

// add takes a record in, if it can be true.
func (l *list) add(file string, text []byte) error {
	if int64(len(text)) > l.limits.Record {
		return tooMuch("the record of %.200q has more than %d bytes, which is more than is read", file, l.limits.Record)
	}
	var r condapkg.Record
	err := r.UnmarshalJSON(text)
	if err != nil {
		err = &lieError{text: fmt.Sprintf("the record %.120q is refused, and cannot be read: %.200q", file, err.Error())}
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

// sorted gives the records in the order of their file names.
func (l *list) sorted() []condapkg.Record {
	for file := range l.removed {
		delete(l.records, file)
	}
	return sorted(l.records)
}
