// Package dockerfile parses the parts of a Dockerfile that the pipeline needs: the instructions with the byte offsets of each word, the images that
// it uses, and the scripts that it runs. Files are never regenerated from the parsed form. Edits are insertions at an offset.
package dockerfile

import (
	"regexp"
	"strings"
	"sync"
)

// Word is a blank-separated part of an instruction, including its quotes.
type Word struct {
	Text       string // without line continuations
	Start, End int    // byte offsets of the word in the file
}

// `whole` reports whether the word appears in the file exactly as in Text.
func (w Word) whole() bool { return w.End-w.Start == len(w.Text) }

// Instruction is an instruction in a Dockerfile.
type Instruction struct {
	Keyword string // in upper case
	Flags   []Word // --name=value, before the arguments
	Words   []Word // arguments
	Line    int    // from 1
	Script  string // the text that RUN passes to a shell; "" for the JSON form

	ScriptLine int // line at which the script starts
}

// File is a parsed Dockerfile.
type File struct {
	Instructions []Instruction
	Syntax       *Word // frontend named in the first line, `# syntax=…`; nil if there is none

	escape byte // character that continues a line and escapes the next character
}

var (
	directive = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S+)\s*$`) })
	heredoc   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d*<<(-?)([^<]*)$`) })
	apart     = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(?:"[^"]+"|'[^']+'|[A-Za-z_][\w.-]*)$`) })
)

// reader iterates over the lines of a file.
type reader struct {
	text   string
	offset int
	line   int
	escape byte
}

// `next` returns the next line without its terminator, and its offset.
func (r *reader) next() (line string, start int, ok bool) {
	if r.offset >= len(r.text) {
		return "", 0, false
	}
	start = r.offset
	end := strings.IndexByte(r.text[start:], '\n')
	if end < 0 {
		end = len(r.text) - start
		r.offset = len(r.text)
	} else {
		r.offset = start + end + 1
	}
	r.line++
	return strings.TrimSuffix(r.text[start:start+end], "\r"), start, true
}

// Parse parses a Dockerfile. It never fails: invalid text yields no images and no scripts.
func Parse(text []byte) *File {
	r := &reader{text: string(text), escape: '\\'}
	if strings.HasPrefix(r.text, "\ufeff") {
		r.offset = len("\ufeff")
	}
	f, directives := &File{escape: '\\'}, true
	for {
		line, start, ok := r.next()
		if !ok {
			return f
		}
		trimmed := strings.TrimSpace(line)
		m := directive().FindStringSubmatchIndex(line)
		switch {
		case directives && m != nil:
			value := line[m[4]:m[5]]
			switch strings.ToLower(line[m[2]:m[3]]) {
			case "syntax":
				f.Syntax = &Word{Text: value, Start: start + m[4], End: start + m[5]}
			case "escape":
				r.escape = value[0]
				f.escape = r.escape
			}
		case trimmed == "" || trimmed[0] == '#':
			directives = false
		default:
			directives = false
			f.Instructions = append(f.Instructions, r.instruction(line, start))
		}
	}
}

// piece is a line of an instruction, without its continuation character.
type piece struct {
	text  string
	start int
}

// instruction parses the rest of an instruction, given its first line.
func (r *reader) instruction(line string, start int) Instruction {
	i := Instruction{Line: r.line}
	var pieces []piece
	for more := true; more; {
		cut := strings.TrimRight(line, " \t")
		more = strings.HasSuffix(cut, string(r.escape))
		if more {
			cut = cut[:len(cut)-1]
		} else {
			cut = line
		}
		pieces = append(pieces, piece{text: cut, start: start})
		for more {
			var ok bool
			if line, start, ok = r.next(); !ok {
				more = false
				break
			}
			if t := strings.TrimSpace(line); t != "" && t[0] != '#' {
				break // empty lines and comments are skipped
			}
		}
	}
	words := split(pieces)
	if len(words) == 0 {
		return i
	}
	i.Keyword, words = strings.ToUpper(words[0].Text), words[1:]
	for len(words) > 0 && strings.HasPrefix(words[0].Text, "--") {
		i.Flags, words = append(i.Flags, words[0]), words[1:]
	}
	i.Words = words
	bodies := r.heredocs(i)
	if i.Keyword == "RUN" && len(words) > 0 {
		i.Script, i.ScriptLine = script(pieces, words[0].Start, bodies), 1+strings.Count(r.text[:words[0].Start], "\n")
		if bodies != "" && !strings.HasSuffix(i.Script, bodies) { // the script is only the heredoc's body
			i.ScriptLine++
		}
	}
	return i
}

// split splits an instruction's lines into words. A word may span lines.
func split(pieces []piece) (words []Word) {
	var w *Word
	quote := byte(0)
	for _, p := range pieces {
		for n := range len(p.text) {
			c := p.text[n]
			switch {
			case quote == 0 && (c == ' ' || c == '\t'):
				w = nil
				continue
			case w == nil:
				words = append(words, Word{Start: p.start + n})
				w = &words[len(words)-1]
			}
			if c == quote {
				quote = 0
			} else if quote == 0 && (c == '"' || c == '\'') {
				quote = c
			}
			w.Text, w.End = w.Text+string(c), p.start+n+1
		}
	}
	return words
}

// heredocs reads the heredoc bodies that follow an instruction, including their terminators.
func (r *reader) heredocs(i Instruction) (bodies string) {
	keyword, words := i.Keyword, i.Words
	if keyword == "ONBUILD" && len(words) > 0 {
		keyword, words = strings.ToUpper(words[0].Text), words[1:]
	}
	if keyword != "RUN" && keyword != "COPY" && keyword != "ADD" {
		return ""
	}
	for n, w := range words { // like BuildKit, match only whole words, not quoted text
		m := heredoc().FindStringSubmatch(w.Text)
		if m != nil && m[2] == "" && n+1 < len(words) && apart().MatchString(words[n+1].Text) {
			m[2] = words[n+1].Text
		}
		if m == nil || m[2] == "" {
			continue
		}
		end := strings.NewReplacer(`"`, "", "'", "").Replace(m[2])
		for {
			line, _, ok := r.next()
			if !ok {
				return bodies
			}
			bodies += line + "\n"
			if m[1] == "-" {
				line = strings.TrimLeft(line, "\t")
			}
			if line == end {
				break
			}
		}
	}
	return bodies
}

// onlyHeredoc matches a script that consists only of a heredoc.
var onlyHeredoc = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^<<-?[ \t]*(?:"[^"\s]+"|'[^'\s]+'|[^\s"'<]+)\s*$`)
})

// script returns the text that RUN passes to a shell: the lines starting at the first argument, or the heredoc's body if RUN has no other argument.
func script(pieces []piece, from int, bodies string) string {
	var lines []string
	for _, p := range pieces {
		if p.start+len(p.text) < from {
			continue
		}
		lines = append(lines, p.text[max(0, from-p.start):])
	}
	text := strings.Join(lines, "\\\n") + "\n"
	switch {
	case strings.HasPrefix(text, "[") && strings.HasSuffix(strings.TrimSpace(text), `"]`):
		return ""
	case bodies != "" && onlyHeredoc().MatchString(text):
		body := strings.TrimSuffix(bodies, "\n")
		return body[:strings.LastIndexByte(body, '\n')+1]
	}
	return text + bodies
}
