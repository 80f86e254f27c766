// Package condapypi knows which project on PyPI a conda package of conda-forge is: a name is the same in both worlds only
// by luck. "age" and "mold" are other projects on PyPI, "torch" is "pytorch" on conda-forge.
//
// The table is made by `go run ./magefiles/internal/condapypi/generate FILE` from a file of prefix-dev/parselmouth, which
// pixi itself asks: [Source] says which. A short list of corrections comes before it (corrections.go). The table is part of
// the program, compressed; who asks nothing does not pay for it.
package condapypi

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"iter"
	"regexp"
	"strings"
	"sync"
)

// Source is the file that the table was made from. To take a newer one, write down its commit, date and digest here, and
// run the generator: it refuses a file of another digest.
var Source = struct{ Repository, Path, Commit, Date, SHA256, License string }{
	Repository: "https://github.com/prefix-dev/parselmouth",
	Path:       "files/v0/conda-forge/compressed_mapping.json",
	Commit:     "345e9bfbd11d932d63df2bc1146511337f7ba5dd",
	Date:       "2026-08-19",
	SHA256:     "699738ae1ed9cbaec54b6f9fb9419807f1b34400e430c6cce0d35d0bdebc8f6a",
	License:    "BSD-3-Clause, see LICENSE.parselmouth",
}

//go:embed table.txt.gz
var compressed []byte

// CondaOnly stands in the table in place of a project: nothing of the package is on PyPI.
const CondaOnly = "-"

// table is the text that Encode wrote.
var table = sync.OnceValue(func() string {
	r, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		panic("condapypi: the table in the program is damaged: " + err.Error())
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic("condapypi: the table in the program is damaged: " + err.Error())
	}
	return string(text)
})

// Row is what is known of a conda name.
type Row struct {
	Project string // on PyPI, in the form of PEP 503; "" for a package that is on conda only
	Reason  string // why a correction says so; "" for a row of the table
}

// Lookup returns what is known of a conda name, in any case; false for a name that conda-forge did not have.
func Lookup(conda string) (Row, bool) {
	name := strings.ToLower(conda)
	if row, ok := correction(name); ok {
		return row, true
	}
	project, ok := find(table(), name)
	if project == CondaOnly {
		project = ""
	}
	return Row{Project: project}, ok
}

// find looks a name up in a text of sorted lines.
func find(text, name string) (project string, ok bool) {
	for from, to := 0, len(text); from < to; {
		middle := (from + to) / 2
		begin := from + strings.LastIndexByte(text[from:middle], '\n') + 1
		end := middle + strings.IndexByte(text[middle:], '\n')
		have, project := row(text[begin:end])
		switch strings.Compare(name, have) {
		case 0:
			return project, true
		case -1:
			to = begin
		default:
			from = end + 1
		}
	}
	return "", false
}

// row takes a line apart: a name alone is that of its project, too.
func row(line string) (name, project string) {
	name, project, other := strings.Cut(line, " ")
	if !other {
		project = Normalize(name)
	}
	return name, project
}

// Rows gives the rows of the table by name, without the corrections. Of a package that is on conda only the project is
// CondaOnly.
func Rows() iter.Seq2[string, string] {
	return func(yield func(name, project string) bool) {
		for line := range strings.Lines(table()) {
			if !yield(row(strings.TrimSuffix(line, "\n"))) {
				return
			}
		}
	}
}

// Encode writes a row as a line of the table, without its end. The project is in the form of PEP 503, or CondaOnly.
func Encode(name, project string) string {
	if project == Normalize(name) {
		return name
	}
	return name + " " + project
}

var separators = regexp.MustCompile(`[-_.]+`)

// Normalize is the form of PEP 503, in which projects are compared.
func Normalize(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}
