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

// harmless returns an error for names that would be special in a workflow file even if quoted.
func harmless(names ...string) error {
	for _, n := range names {
		if strings.Contains(n, "${{") || strings.ContainsFunc(n, breaks) || strings.HasPrefix(n, "-") {
			return operr.New("rename this folder or name: it must not begin with a dash, and must not contain ${{ or a control character", "%q cannot be written into a workflow file: it begins with a dash, or contains ${{ or a control character", n)
		}
	}
	return nil
}

// breaks reports whether a rune is a control character, or a YAML line break, which would end even a comment.
func breaks(r rune) bool { return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp) }

var (
	odd        = lazyregexp.New(`[^a-z0-9]+`)
	identifier = lazyregexp.New(`^[a-z][a-z0-9_-]*$`)
)

// slug converts a name to lower-case letters, digits and dashes.
func slug(name string) string {
	s := strings.Trim(odd().ReplaceAllString(strings.ToLower(name), "-"), "-")
	if s == "" {
		return "image"
	}
	return s
}

// free returns an unused file name: the first unused stem, or the last stem with a number.
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

// scalar formats a text as a YAML mapping value, unquoted if it then parses as the same text.
func scalar(text string) string {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte("a: "+text+"\n"), &n); err == nil && len(n.Content) == 1 && len(n.Content[0].Content) == 2 {
		v := n.Content[0].Content[1]
		if v.Kind == yaml.ScalarNode && v.Style == 0 && v.ShortTag() == "!!str" && v.Value == text && v.LineComment == "" && !special(text) {
			return text
		}
	}
	return quote(text)
}

// special reports whether old YAML parsers read a word as something other than a string.
func special(text string) bool {
	return slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}, strings.ToLower(text))
}

// quote double-quotes a text, as in YAML and JSON.
func quote(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // strings can always be encoded
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// word formats a name as an item of a bracketed YAML list.
func word(name string) string {
	if identifier().MatchString(name) && !special(name) {
		return name
	}
	return quote(name)
}

// glob returns a GitHub pattern that matches only the name.
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

// anyOf converts a path to a pattern for an artifact. Such patterns have no escapes, so special characters become "?".
func anyOf(name string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(`*[]!\`, r) {
			return '?'
		}
		return r
	}, name)
}

// comment makes a name safe for a comment.
func comment(name string) string { return strings.ToValidUTF8(name, "?") }
