package dockerfile

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// Image is an image that a Dockerfile uses in FROM, COPY --from, RUN --mount=from, `# syntax=`, or an ARG for a FROM.
type Image struct {
	Ref  string // reference as written, without quotes
	End  int    // byte offset after Ref
	Line int
}

// Unclear is an image name that contains variables and cannot be determined.
type Unclear struct {
	Ref  string
	Line int
}

var variable = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\$(?:\{(\w+)\}|(\w+))$`) })

// Images returns each place in the file that names an image, in order. Stages and scratch are not included.
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
			n.flag(i, "--mount=", mountSource)
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
	number  int // number of stages so far
	seen    map[int]bool
	images  []Image
	unclear []Unclear
}

// add adds an image name in a part of a word. end is the offset after the name.
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

// declare records the value of an ARG for use in FROM lines.
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
	} // an ARG without a default is a required build argument
	if len(i.Words) == 3 && strings.EqualFold(i.Words[1].Text, "AS") {
		n.stages[strings.ToLower(i.Words[2].Text)] = true
	}
}

// flag adds the images in an instruction's flags with this prefix. Numbers refer to stages.
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

// mountSource returns the image in --mount=…,from=IMAGE,….
func mountSource(w Word, value string) (ref string, end int) {
	at := w.End - len(value)
	for option := range strings.SplitSeq(value, ",") {
		if ref, ok := strings.CutPrefix(option, "from="); ok {
			return ref, at + len(option)
		}
		at += len(option) + 1
	}
	return "", 0
}

// unquoted strips the quotes from a value, and returns the offset after the value. end is the offset after the quotes.
func unquoted(value string, end int) (string, int) {
	if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
		return value[1 : len(value)-1], end - 1
	}
	return value, end
}
