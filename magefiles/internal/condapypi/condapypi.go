// Package condapypi maps conda-forge packages to PyPI projects, because equal names are only a coincidence: "age" and "mold" are unrelated projects
// on PyPI, and PyPI's "torch" is "pytorch" on conda-forge.
//
// The table is generated with `go run ./magefiles/internal/condapypi/generate FILE` from a file in prefix-dev/parselmouth, which pixi uses too.
// [Source] identifies the file. A short list of corrections takes precedence over the table (corrections.go). The table is embedded in compressed
// form, and decompressed on first use.
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

// Source identifies the file that the table was generated from. To update it, change the commit, date and digest here, and run the generator, which
// rejects a file with a different digest.
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

// CondaOnly is the project in the table for a package that is not on PyPI.
const CondaOnly = "-"

// table decompresses the text made of Encode's lines.
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

// Row is the entry for a conda package.
type Row struct {
	Project string // on PyPI, normalized as in PEP 503; "" if the package is only on conda
	Reason  string // reason for a correction; "" for entries of the table
}

// Lookup returns the row for a conda package's name, ignoring case, and whether conda-forge has had that package.
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

// find looks up a name in sorted lines.
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

// row parses a line. If it is a single name, the project has the same name.
func row(line string) (name, project string) {
	name, project, other := strings.Cut(line, " ")
	if !other {
		project = Normalize(name)
	}
	return name, project
}

// Rows iterates over the table's rows, sorted by name, without the corrections. The project of a conda-only package is CondaOnly.
func Rows() iter.Seq2[string, string] {
	return func(yield func(name, project string) bool) {
		for line := range strings.Lines(table()) {
			if !yield(row(strings.TrimSuffix(line, "\n"))) {
				return
			}
		}
	}
}

// Encode returns the table's line for a row, without the newline. project is normalized as in PEP 503, or CondaOnly.
func Encode(name, project string) string {
	if project == Normalize(name) {
		return name
	}
	return name + " " + project
}

var separators = regexp.MustCompile(`[-_.]+`)

// Normalize normalizes a project's name as in PEP 503, for comparisons.
func Normalize(name string) string {
	return strings.ToLower(separators.ReplaceAllString(name, "-"))
}
