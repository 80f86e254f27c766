package annotation

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

var (
	pythonTest   = lazyregexp.New(`^_{2,} (.+) _{2,}$`)
	pythonEnd    = lazyregexp.New(`^=+ .+ =+$`)
	pythonPlace  = lazyregexp.New(`^([^\s:][^:]*):(\d+): (\S.*)?$`)
	pythonSource = lazyregexp.New(`^E\s+File "([^"]+)", line (\d+)`)
)

// pythonFailure is a test that failed, or a file that could not be read. Its place is the last place of the traceback that is in the checkout.
type pythonFailure struct {
	title string
	file  string
	line  int
	says  []string

	indent int // indentation of the first line in `says`
}

// pytest reads a line of pytest's failures, and reports whether it was one.
func (f *finder) pytest(line string) bool {
	if m := pythonTest().FindStringSubmatch(line); m != nil {
		f.endPytest()
		f.python = &pythonFailure{title: m[1]}
		return true
	}
	t := f.python
	if t == nil {
		return false
	}
	if pythonEnd().MatchString(line) {
		f.endPytest()
		return true
	}
	place := pythonSource().FindStringSubmatch(line)
	if place == nil {
		place = pythonPlace().FindStringSubmatch(line)
	}
	if place != nil {
		if _, ok := f.lookup(place[1]); ok {
			t.file, t.line = place[1], number(place[2])
		}
	}
	if said, ok := strings.CutPrefix(line, "E "); ok {
		indent := len(said) - len(strings.TrimLeft(said, " "))
		if len(t.says) == 0 {
			t.indent = indent
		}
		t.says = append(t.says, strings.TrimRight(said[min(t.indent, indent):], " "))
	}
	return true
}

func (f *finder) endPytest() {
	if t := f.python; t != nil && t.file != "" {
		f.add(Annotation{
			File:    t.file,
			Line:    t.line,
			Title:   t.title,
			Message: strings.TrimSpace(strings.Join(t.says, "\n")),
		})
	}
	f.python = nil
}
