package annotation

import (
	"path"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

var (
	goTest    = lazyregexp.New(`^\s*--- FAIL: (\S+) \(`)
	goPackage = lazyregexp.New(`^FAIL\t(\S+)\s`)
	goEntry   = lazyregexp.New(`^\s+([^\s/:]+\.go):(\d+): ?(.*)$`)
	goFrame   = lazyregexp.New(`^\s+(/\S+\.go):(\d+)(?: \+0x[0-9a-f]+)?$`)
	goAsserts = lazyregexp.New(`^\s+Error:\s+(\S.*)$`) // a failed assertion of testify
)

// goFailure is a test that failed. Its log entries look like the reason of its failure, so the last entry counts. An assertion of testify counts
// wherever it is.
type goFailure struct {
	name    string
	entries []goSaid
}

type goSaid struct {
	file    string // without its folder; in a panic, from the root of the file system
	line    string
	message []string
	asserts bool
}

// goTest reads a line of go test's failures, and reports whether it was one.
func (f *finder) goTest(line string) bool {
	if m := goPackage().FindStringSubmatch(line + " "); m != nil {
		f.endGo(m[1])
		return true
	}
	if m := goTest().FindStringSubmatch(line); m != nil {
		f.golang = append(f.golang, &goFailure{name: m[1]})
		return true
	}
	if len(f.golang) == 0 {
		return false
	}
	t := f.golang[len(f.golang)-1]
	last := len(t.entries) - 1
	said, panics := strings.CutPrefix(line, "panic: ")
	entry, frame, asserts := goEntry().FindStringSubmatch(line), goFrame().FindStringSubmatch(line), goAsserts().FindStringSubmatch(line)
	switch {
	case panics:
		t.entries = append(t.entries, goSaid{message: []string{line}, asserts: said != ""})
	case entry != nil:
		t.entries = append(t.entries, goSaid{
			file:    entry[1],
			line:    entry[2],
			message: []string{entry[3]},
		})
	case last < 0:
	case frame != nil && t.entries[last].file == "":
		if _, ok := f.lookup(frame[1]); ok {
			t.entries[last].file, t.entries[last].line = frame[1], frame[2]
		}
	case asserts != nil:
		t.entries[last].message, t.entries[last].asserts = []string{asserts[1]}, true
	case strings.HasPrefix(line, " ") && t.entries[last].message[0] != "" && !t.entries[last].asserts:
		t.entries[last].message = append(t.entries[last].message, strings.TrimSpace(line))
	}
	return true
}

// endGo ends the failures of a package; "" if the package is unknown.
func (f *finder) endGo(of string) {
	for _, t := range f.golang {
		var counts []goSaid
		for _, e := range t.entries {
			if e.asserts {
				counts = append(counts, e)
			}
		}
		if len(counts) == 0 && len(t.entries) > 0 {
			counts = t.entries[len(t.entries)-1:]
		}
		for _, e := range counts {
			f.add(Annotation{
				File:    f.goFile(of, e.file),
				Line:    number(e.line),
				Title:   t.name,
				Message: strings.Join(e.message, "\n"),
			})
		}
	}
	f.golang = nil
}

// goFile finds the file of a package: its folder is the end of the package's import path, however long the module's path is.
func (f *finder) goFile(of, file string) string {
	for dir := of; dir != "" && !path.IsAbs(file); {
		if found, ok := f.lookup(path.Join(dir, file)); ok {
			return found
		}
		_, rest, more := strings.Cut(dir, "/")
		if !more {
			break
		}
		dir = rest
	}
	return file
}
