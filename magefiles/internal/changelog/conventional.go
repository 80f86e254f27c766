package changelog

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// conventional is the first line of a Conventional Commit: type(scope)!: description.
var (
	conventional = regexp.MustCompile(`^([A-Za-z]+)(?:\(([^()]*)\))?(!)?: +(\S.*)$`)
	breaking     = regexp.MustCompile(`(?m)^BREAKING[ -]CHANGE: `)
)

// Change is what a commit's message says of it.
type Change struct {
	Kind     string // "feat", in lower case; "" for a message in another form
	Breaking bool
	Text     string
}

// ReadChange reads the message of a commit.
func ReadChange(subject, body string) Change {
	m := conventional.FindStringSubmatch(subject)
	if m == nil {
		return Change{Text: subject}
	}
	return Change{Kind: strings.ToLower(m[1]), Breaking: m[3] != "" || breaking.MatchString(body), Text: m[4]}
}

// Line is "- **Breaking:** Description (1a2b3c4)".
func (c Change) Line(hash string) string {
	text := Capitalize(asMarkdown(c.Text))
	switch {
	case c.Breaking:
		text = "**Breaking:** " + text
	case c.Kind == "revert":
		text = "Reverted: " + text
	}
	return fmt.Sprintf("- %s (%s)\n", text, hash)
}

// Capitalize begins a text with a capital letter.
func Capitalize(text string) string {
	_, n := utf8.DecodeRuneInString(text)
	return strings.ToUpper(text[:n]) + text[n:]
}
