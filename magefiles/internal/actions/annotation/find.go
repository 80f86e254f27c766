package annotation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// Lookup finds the file that a tool means by a path: relative to the checkout, with slashes. ok is false where it is none of the checkout. Nil
// finds none.
type Lookup func(path string) (file string, ok bool)

var (
	color = lazyregexp.New(`\x1b\[[0-9;]*m`)

	// PATH:LINE:COLUMN: error: TEXT, with less of it in most tools: mypy, go build, go vet, actionlint, shellcheck, ruff's short form.
	oneLine = lazyregexp.New(`^(?:vet: )?([^\s:]*[^\s:.]\.[A-Za-z0-9]+):(\d+)(?::(\d+))?: (?:(error|warning|note|info|style): )?(.*\S)\s*$`)

	// Below the text: ruff and zizmor.
	arrow = lazyregexp.New(`^\s*--> (\S.*):(\d+):(\d+)$`)
)

// longest is how many lines of a message are kept.
const longest = 12

// Find reads what tools have printed: ruff, mypy, pytest, go build, go vet and go test, and whatever else has PATH:LINE: TEXT in a line. What is said of
// a file that is none of the checkout is left out, and what is said twice is found once.
func Find(output string, lookup Lookup) []Annotation {
	if lookup == nil {
		return nil
	}
	f := &finder{lookup: lookup}
	before := ""
	for line := range strings.SplitSeq(color().ReplaceAllString(output, ""), "\n") {
		line = strings.TrimRight(line, "\r")
		if !f.pytest(line) && !f.goTest(line) {
			f.line(line, before)
		}
		if strings.TrimSpace(line) != "" {
			before = line
		}
	}
	f.endPytest()
	f.endGo("")
	return f.found
}

type finder struct {
	lookup Lookup
	found  []Annotation
	python *pythonFailure
	golang []*goFailure
}

func (f *finder) add(a Annotation) {
	file, ok := f.lookup(a.File)
	if !ok || strings.TrimSpace(a.Message) == "" {
		return
	}
	a.File = file
	if lines := strings.Split(a.Message, "\n"); len(lines) > longest {
		a.Message = strings.Join(append(lines[:longest], "…"), "\n")
	}
	if !slices.Contains(f.found, a) {
		f.found = append(f.found, a)
	}
}

func (f *finder) line(line, before string) {
	if m := arrow().FindStringSubmatch(line); m != nil {
		f.add(Annotation{
			File:    m[1],
			Line:    number(m[2]),
			Column:  number(m[3]),
			Message: strings.TrimSpace(before),
		})
		return
	}
	m := oneLine().FindStringSubmatch(line)
	if m == nil || slices.Contains([]string{"note", "info", "style"}, m[4]) {
		return
	}
	f.add(Annotation{
		File:    m[1],
		Line:    number(m[2]),
		Column:  number(m[3]),
		Message: m[5],
		Warning: m[4] == "warning",
	})
}

// number is what a pattern has found to be digits; 0 where they are too many, or none.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
