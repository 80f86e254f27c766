package dockerfile

import (
	"slices"
	"strings"
)

// Base returns the image that the last stage is ultimately built on, given build arguments for the ARGs before the first FROM. It returns "" for
// scratch, and if the image cannot be determined because it differs between platforms or a variable has an unsupported modifier.
func (f *File) Base(args map[string]string) string {
	values, stages := map[string]string{}, map[string]string{}
	base, begun := "", false
	for _, i := range f.Instructions {
		switch {
		case i.Keyword == "ARG" && !begun:
			for _, w := range i.Words {
				f.declare(values, args, w.Text)
			}
		case i.Keyword == "FROM" && len(i.Words) > 0:
			begun = true
			base, _ = f.expand(i.Words[0].Text, values) // "" if it cannot be determined
			if below, ok := stages[strings.ToLower(base)]; ok {
				base = below
			}
			if len(i.Words) == 3 && strings.EqualFold(i.Words[1].Text, "AS") {
				stages[strings.ToLower(i.Words[2].Text)] = base
			}
		}
	}
	if strings.EqualFold(base, "scratch") {
		return ""
	}
	return base
}

// declare sets a variable as ARG does: to the build argument, or to its default, which may refer to earlier variables. If the value cannot be
// determined, it sets the variable to unknowable.
func (f *File) declare(values, args map[string]string, word string) {
	name, text, given := strings.Cut(word, "=")
	if value, ok := args[name]; ok {
		values[name] = value
	} else if value, ok := f.expand(text, values); given && ok {
		values[name] = value
	} else if given {
		values[name] = unknowable
	}
}

// unknowable marks a variable whose value cannot be determined. It cannot occur in a file.
const unknowable = "\x00"

// automatic lists the variables that BuildKit sets to platform-specific values.
var automatic = []string{"BUILDARCH", "BUILDOS", "BUILDPLATFORM", "BUILDVARIANT", "TARGETARCH", "TARGETOS", "TARGETPLATFORM", "TARGETVARIANT", "TARGETSTAGE"}

// expand expands a word like BuildKit's shell: it removes quotes and replaces variables. Unset variables are empty. It returns false if the word
// has an unsupported expansion, such as the removal of a pattern from a variable.
func (f *File) expand(word string, values map[string]string) (string, bool) {
	e := &expander{escape: f.escape, values: values, rest: word}
	text, ok := e.readUntil(0)
	if !ok || strings.Contains(text, unknowable) {
		return "", false
	}
	return text, true
}

// expander expands a word from left to right.
type expander struct {
	escape byte
	values map[string]string
	rest   string
}

// `readUntil` expands text up to an end character, and consumes that character; 0 means the end of the word.
func (e *expander) readUntil(end byte) (string, bool) {
	var text strings.Builder
	double := false
	for e.rest != "" {
		c := e.rest[0]
		e.rest = e.rest[1:]
		switch {
		case c == end && !double:
			return text.String(), true
		case c == '\'' && !double:
			inside, after, ok := strings.Cut(e.rest, "'")
			if !ok {
				return "", false
			}
			text.WriteString(inside)
			e.rest = after
		case c == '"':
			double = !double
		case c == e.escape && e.rest != "" && (!double || strings.IndexByte(`"$`+string(e.escape), e.rest[0]) >= 0):
			text.WriteByte(e.rest[0])
			e.rest = e.rest[1:]
		case c == '$':
			value, ok := e.variable()
			if !ok {
				return "", false
			}
			text.WriteString(value)
		default:
			text.WriteByte(c)
		}
	}
	return text.String(), end == 0 && !double
}

// variable expands what follows a "$".
func (e *expander) variable() (string, bool) {
	braces := strings.HasPrefix(e.rest, "{")
	if braces {
		e.rest = e.rest[1:]
	}
	n := 0
	for n < len(e.rest) && nameByte(e.rest[n], n > 0) {
		n++
	}
	name := e.rest[:n]
	e.rest = e.rest[n:]
	value, set := e.values[name]
	switch {
	case name == "":
		return "$", !braces // "$$" and "$1" are literal
	case !set && slices.Contains(automatic, name):
		return "", false
	case !braces:
		return value, true
	case e.rest == "":
		return "", false
	}
	return e.expandModifier(value, set)
}

// expandModifier expands the rest of "${NAME…}", such as ":-word".
func (e *expander) expandModifier(value string, set bool) (string, bool) {
	kind := e.rest[0]
	e.rest = e.rest[1:]
	if kind == '}' {
		return value, true
	}
	if kind == ':' && e.rest != "" { // an empty variable counts as unset
		kind, e.rest, set = e.rest[0], e.rest[1:], set && value != ""
	}
	word, ok := e.readUntil('}')
	switch {
	case kind == '-' && set, kind == '?' && set:
		return value, ok
	case kind == '-':
		return word, ok
	case kind == '+' && set:
		return word, ok
	case kind == '+':
		return "", ok
	}
	return "", false
}

func nameByte(c byte, digits bool) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || digits && c >= '0' && c <= '9'
}
