package manifest

import (
	"regexp"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// PEP 508 requirement strings: name[extra1,extra2] (>=1,<2) ; marker, or name @ url ; marker.
var (
	pep508Name = regexp.MustCompile(`^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*`)
	urlMarker  = regexp.MustCompile(`\s;`)
)

// parsePEP508 parses a requirement string. Spec.Text is the version part without parentheses and surrounding whitespace, and starts
// at Spec.Offset. `ok` is false if `text` is not a valid requirement.
func parsePEP508(text string) (name string, spec Spec, ok bool) {
	m := pep508Name.FindStringSubmatchIndex(text)
	if m == nil {
		return "", spec, false
	}
	name = text[m[2]:m[3]]
	if m[4] >= 0 {
		spec.Extras = fields(text[m[4]:m[5]])
	}
	begin, rest := m[1], text[m[1]:]
	if url, isURL := strings.CutPrefix(rest, "@"); isURL {
		if i := urlMarker.FindStringIndex(url); i != nil {
			spec.Marker = strings.TrimSpace(url[i[1]:])
			url = url[:i[0]]
		}
		spec.URL = strings.TrimSpace(url)
		return name, spec, spec.URL != ""
	}
	version, marker, _ := strings.Cut(rest, ";")
	spec.Marker = strings.TrimSpace(marker)
	trimmed := strings.TrimLeft(version, " \t(")
	begin += len(version) - len(trimmed)
	version = strings.TrimRight(trimmed, " \t)")
	spec.Text, spec.Offset = version, begin
	return name, spec, version == "" || strings.ContainsRune("=<>!~", rune(version[0]))
}

func fields(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' })
}

// pep508Array reads an array of requirement strings. Other elements, such as { include-group = "…" }, are skipped.
func (s *File) pep508Array(n *tomledit.Node, like Dependency) []Dependency {
	var out []Dependency
	for _, e := range n.Elements() {
		text, isString := e.Str()
		name, spec, ok := parsePEP508(text)
		if !isString || !ok {
			continue
		}
		spec.Node, spec.Raw = e, text
		d := like
		d.Pos, d.Name, d.Spec, d.Kind = s.Pos(e), name, spec, PyPI
		out = append(out, d)
	}
	return out
}
