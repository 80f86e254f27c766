package ciwrite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// harmless refuses names that would mean something in a workflow file, however they are written there.
func harmless(names ...string) error {
	for _, n := range names {
		if strings.Contains(n, "${{") || strings.ContainsFunc(n, breaks) || strings.HasPrefix(n, "-") {
			return operr.New("give it another name", "%q cannot stand in a workflow file: it begins with a dash, or has ${{ or a control character in it", n)
		}
	}
	return nil
}

// breaks reports whether a rune is one of control, or ends a line for readers of YAML, in a comment too.
func breaks(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }

var (
	odd        = lazyregexp.New(`[^a-z0-9]+`)
	identifier = lazyregexp.New(`^[a-z][a-z0-9_-]*$`)
)

// slug is a name with lower-case letters, digits and dashes alone.
func slug(name string) string {
	s := strings.Trim(odd().ReplaceAllString(strings.ToLower(name), "-"), "-")
	if s == "" {
		return "image"
	}
	return s
}

// free is the name of a file that no other one has: that of the first stem which is free, or the last one with a number.
func free(taken map[string]string, stems ...string) string {
	for _, stem := range stems {
		if _, is := taken[stem+".yml"]; !is {
			return stem + ".yml"
		}
	}
	for n := 2; ; n++ {
		name := fmt.Sprintf("%s-%d.yml", stems[len(stems)-1], n)
		if _, is := taken[name]; !is {
			return name
		}
	}
}

// scalar is a text as a value of a YAML mapping, as it stands where that reads as the same text.
func scalar(text string) string {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte("a: "+text+"\n"), &n); err == nil && len(n.Content) == 1 && len(n.Content[0].Content) == 2 {
		v := n.Content[0].Content[1]
		if v.Kind == yaml.ScalarNode && v.Style == 0 && v.ShortTag() == "!!str" && v.Value == text && v.LineComment == "" && !special(text) {
			return text
		}
	}
	return quoted(text)
}

// special reports whether older readers of YAML take a word for something else than a text.
func special(text string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}, strings.ToLower(text))
}

// quoted is a text in double quotes, as YAML and JSON have them.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // it is a string
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// word is a name as an item of a YAML list in brackets.
func word(name string) string {
	if identifier().MatchString(name) && !special(name) {
		return name
	}
	return quoted(name)
}

// glob is a name as a pattern of GitHub's that nothing else fits.
func glob(name string) string {
	var b strings.Builder
	for _, r := range name {
		if strings.ContainsRune(`*?+[]!\`, r) {
			b.WriteRune('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// anyOf is a path as a pattern of an artifact's, which knows no way to write a sign of patterns as itself.
func anyOf(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`*[]!\`, r) {
			return '?'
		}
		return r
	}, name)
}

// comment is a name in a comment.
func comment(name string) string { return strings.ToValidUTF8(name, "?") }
