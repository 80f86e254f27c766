package annotation

import (
	"slices"
	"strconv"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// Lookup finds the file that a tool means by a path: relative to the checkout, with slashes. ok is false if the checkout has no such file. A nil
// Lookup finds no file.
type Lookup func(path string) (file string, ok bool)

var (
	color = lazyregexp.New(`\x1b\[[0-9;]*m`)

	// Most tools print only part of PATH:LINE:COLUMN: error: TEXT: mypy, go build, go vet, actionlint, shellcheck, ruff's short form.
	oneLine = lazyregexp.New(`^(?:vet: )?([^\s:]*[^\s:.]\.[A-Za-z0-9]+):(\d+)(?::(\d+))?: (?:(error|warning|note|info|style): )?(.*\S)\s*$`)

	// ruff and zizmor print the place below the text.
	arrow = lazyregexp.New(`^\s*--> (\S.*):(\d+):(\d+)$`)
)

// longest is the number of lines that are kept of a message.
const longest = 12

// Find reads the output of tools: ruff, mypy, pytest, go build, go vet and go test, and every other tool that prints PATH:LINE: TEXT in a line. It
// leaves out messages about files outside the checkout, and returns a repeated message once.
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

// number returns the number that a pattern has found; 0 for no digits, or too many.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}
