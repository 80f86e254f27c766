package dockerfile

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Image is an image that a file names, as FROM, COPY --from, RUN --mount=from and `# syntax=` do, or ARG for a FROM.
type Image struct {
	Ref  string // as it is written, without quotes
	End  int    // byte offset behind it
	Line int
}

// Unclear is a name of an image that is put together of variables: which image it is, cannot be told.
type Unclear struct {
	Ref  string
	Line int
}

var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$(?:\{(\w+)\}|(\w+))$`) })

// Images are those that a file names, each place once, in the order of the file. Stages and scratch are not images.
func (f *File) Images() (images []Image, unclear []Unclear) {
	n := &namer{args: map[string]*arg{}, stages: map[string]bool{}, seen: map[int]bool{}}
	if f.Syntax != nil {
		n.add(*f.Syntax, f.Syntax.Text, f.Syntax.End, 1)
	}
	for _, i := range f.Instructions {
		switch i.Keyword {
		case "ARG":
			n.declare(i)
		case "FROM":
			n.from(i)
		case "COPY", "ADD":
			n.flag(i, "--from=", func(w Word, value string) (string, int) { return value, w.End })
		case "RUN":
			n.flag(i, "--mount=", mounted)
		}
	}
	return n.images, n.unclear
}

// arg is the value of an ARG before the first FROM.
type arg struct {
	word  Word
	value string
	end   int
	line  int
}

type namer struct {
	args    map[string]*arg
	stages  map[string]bool
	number  int // of stages so far
	seen    map[int]bool
	images  []Image
	unclear []Unclear
}

// add takes a name that stands at the end of a part of a word; end is the offset behind it.
func (n *namer) add(w Word, ref string, end, line int) {
	switch {
	case ref == "" || strings.EqualFold(ref, "scratch") || n.stages[strings.ToLower(ref)]:
	case strings.Contains(ref, "$") || !w.whole():
		n.unclear = append(n.unclear, Unclear{Ref: ref, Line: line})
	case !n.seen[end]:
		n.seen[end] = true
		n.images = append(n.images, Image{Ref: ref, End: end, Line: line})
	}
}

// declare remembers what an ARG gives to FROM lines.
func (n *namer) declare(i Instruction) {
	if n.number > 0 {
		return
	}
	for _, w := range i.Words {
		name, value, ok := strings.Cut(w.Text, "=")
		if !ok {
			continue
		}
		plain, end := unquoted(value, w.End)
		n.args[name] = &arg{word: w, value: plain, end: end, line: i.Line}
	}
}

func (n *namer) from(i Instruction) {
	n.number++
	if len(i.Words) == 0 {
		return
	}
	w := i.Words[0]
	ref, end := unquoted(w.Text, w.End)
	if m := variable().FindStringSubmatch(ref); m != nil && n.args[m[1]+m[2]] != nil {
		a := n.args[m[1]+m[2]]
		n.add(a.word, a.value, a.end, a.line)
	} else if m == nil {
		n.add(w, ref, end, i.Line)
	} // a variable without a value is a build argument that has to be given
	if len(i.Words) == 3 && strings.EqualFold(i.Words[1].Text, "AS") {
		n.stages[strings.ToLower(i.Words[2].Text)] = true
	}
}

// flag takes the names in the flags of an instruction that begin so. A number is a stage's.
func (n *namer) flag(i Instruction, prefix string, part func(w Word, value string) (ref string, end int)) {
	for _, w := range i.Flags {
		value, ok := strings.CutPrefix(w.Text, prefix)
		if !ok {
			continue
		}
		ref, end := part(w, value)
		if _, err := strconv.Atoi(ref); err != nil {
			n.add(w, ref, end, i.Line)
		}
	}
}

// mounted is the image of --mount=…,from=IMAGE,….
func mounted(w Word, value string) (ref string, end int) {
	at := w.End - len(value)
	for option := range strings.SplitSeq(value, ",") {
		if ref, ok := strings.CutPrefix(option, "from="); ok {
			return ref, at + len(option)
		}
		at += len(option) + 1
	}
	return "", 0
}

// unquoted is a value without quotes around it, and the offset behind it, where it ended at end with them.
func unquoted(value string, end int) (string, int) {
	if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		return value[1 : len(value)-1], end - 1
	}
	return value, end
}
