package taskrun

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// options lists the options that pixi's built-in versions of these commands support. They fail with any other option.
var options = map[string][]string{
	"cat":   nil,
	"cp":    {"r", "R", "recursive"},
	"head":  {"n"},
	"mkdir": {"p", "parents"},
	"mv":    nil,
	"pwd":   nil,
	"rm":    {"r", "R", "f", "d", "recursive", "force", "dir"},
	"sleep": nil,
	"xargs": nil,
}

// command checks a command whose name is known.
func (w *walker) command(name string, args []*syntax.Word, piped bool) {
	changes := slices.Contains([]string{"cd", "exit", "set", "unset"}, name)
	switch {
	case changes && piped:
		w.refuse("has %s within a pipeline", name)
	case name == "pixi" || strings.HasSuffix(name, "/pixi"):
		w.refuse("%s itself (%s)", callsPixi, strings.Join(words(append([]string{name}, readStatics(args)...), 3), " "))
	case strings.HasPrefix(name, "!"):
		w.refuse("has %s: pixi's shell requires a blank after !", name)
	case strings.Contains(name, "=") && name[0] >= '0' && name[0] <= '9':
		w.refuse("has %s, which pixi's shell reads as a variable", name)
	case name == "shopt":
		w.refuse("has shopt")
	case name == "cd":
		w.cd(args)
	case name == "exit":
		w.exit(args)
	case name == "set":
		w.set(args)
	case name == "unset":
		w.unset(args)
	case name == "" || strings.HasSuffix(name, "/"):
		w.refuse("has a command named %q", name)
	}
	if known, own := options[name]; own {
		w.flags(name, args, known)
		w.operands(name, args)
	}
}

// operands rejects a number of files that pixi's built-in command handles differently from the program on PATH.
func (w *walker) operands(name string, args []*syntax.Word) {
	certain := 0
	for i, a := range args {
		text, isStatic := readStatic(a)
		isValue := name == "head" && i > 0 && args[i-1].Lit() == "-n"
		isFlag := len(text) > 1 && text[0] == '-'
		onlyVariable := !isStatic && len(a.Parts) == 1 && len(flatten(a.Parts)) == 1 && a.Parts[0] == flatten(a.Parts)[0]
		if isStatic && text == "" {
			w.refuse("calls %s with an empty name", name)
		}
		if !isValue && !isFlag && !onlyVariable {
			certain++
		}
	}
	switch {
	case name == "rm" && certain == 0:
		w.refuse("calls rm, but none of the arguments is certainly a file")
	case name == "head" && (certain > 1 || slices.ContainsFunc(args, isPattern)):
		w.refuse("calls head with more than one file")
	}
}

func isPattern(a *syntax.Word) bool {
	return slices.ContainsFunc(a.Parts, func(p syntax.WordPart) bool {
		l, ok := p.(*syntax.Lit)
		return ok && strings.ContainsAny(l.Value, "*?[")
	})
}

// `words` truncates a list of words.
func words(list []string, most int) []string {
	if len(list) > most {
		return append(list[:most:most], "…")
	}
	return list
}

// readStatics returns the values of the words that contain no expansions.
func readStatics(args []*syntax.Word) []string {
	var out []string
	for _, a := range args {
		if text, ok := readStatic(a); ok {
			out = append(out, text)
		}
	}
	return out
}

// flags rejects options that pixi's built-in command does not support, because the program on PATH may support them.
func (w *walker) flags(name string, args []*syntax.Word, known []string) {
	for _, a := range args {
		text, ok := readStatic(a)
		if !ok || len(text) < 2 || text[0] != '-' {
			if name == "xargs" {
				return // the remaining words are another command
			}
			continue
		}
		if long, isLong := strings.CutPrefix(text, "--"); isLong {
			if long == "" {
				return
			}
			if !slices.Contains(known, long) || len(long) < 2 {
				w.refuse("calls %s with %s, which pixi's own %s does not accept", name, text, name)
			}
			continue
		}
		if _, err := strconv.ParseFloat(text[1:], 64); err == nil {
			w.refuse("calls %s with %s, which pixi's own %s reads as a file", name, text, name)
			continue
		}
		for _, c := range text[1:] {
			if !slices.Contains(known, string(c)) {
				w.refuse("calls %s with %s, which pixi's own %s does not accept", name, text, name)
				break
			}
		}
	}
}

func (w *walker) cd(args []*syntax.Word) {
	if len(args) != 1 {
		w.refuse("has cd without exactly one folder")
		return
	}
	if text, _ := firstLit(args[0]); strings.HasPrefix(text, "-") || args[0].Lit() == "" && len(args[0].Parts) == 0 {
		w.refuse("has cd %s", text)
	}
}

func (w *walker) exit(args []*syntax.Word) {
	text, ok := "", len(args) == 1
	if ok {
		text, ok = readStatic(args[0])
	}
	if n, err := strconv.Atoi(text); !ok || err != nil || n < 0 || n > 255 {
		w.refuse("has exit without a number from 0 to 255")
	}
}

func (w *walker) set(args []*syntax.Word) {
	texts := readStatics(args)
	if len(texts) != len(args) {
		texts = nil
	}
	switch strings.Join(texts, " ") {
	case "-e", "-o errexit":
		w.errexit = true
	case "+e", "+o errexit", "-o pipefail", "+o pipefail":
	default:
		w.refuse("has set with an option other than -e, -o errexit, -o pipefail")
	}
}

func (w *walker) unset(args []*syntax.Word) {
	for i, a := range args {
		if i == 0 && a.Lit() == "-v" {
			continue
		}
		if text, ok := readStatic(a); !ok || !syntax.ValidName(text) || slices.Contains(special, text) {
			w.refuse("has unset with an argument that is not a valid name of a variable")
		}
	}
}
