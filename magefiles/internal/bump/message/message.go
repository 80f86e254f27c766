// Package message fills the templates of [tool.release] by which commits and tags say what was released (message.go).
package message

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Limits of a title that names each package.
const (
	titlePackages = 3
	titleSubject  = 100 // characters of the subject that it makes: what commitlint's usual rules allow
)

// OfCommit fills the template of a commit's message. released is what moves: the tag in lockstep, or each package with
// its version. Where that would be too long for a title, the title is their number, and they are listed below the subject.
func OfCommit(template string, released []string) string {
	title := strings.Join(released, ", ")
	subject, rest := fill(template, title)
	if n := len(released); n > titlePackages || n > 1 && utf8.RuneCountInString(subject) > titleSubject {
		subject, rest = fill(template, fmt.Sprintf("%d packages", n))
		rest = "\n\n" + strings.Join(released, "\n") + rest
	}
	return subject + rest + "\n"
}

// OfTag fills the template of a tag's message. Its title is the tag's name.
func OfTag(template, name string) string {
	subject, rest := fill(template, name)
	return subject + rest + "\n"
}

// fill returns the first line of a message, and what follows it: "" or an empty line and paragraphs.
func fill(template, title string) (subject, rest string) {
	text := strings.TrimSpace(strings.ReplaceAll(template, "\r\n", "\n"))
	subject, rest, found := strings.Cut(strings.ReplaceAll(text, settings.TitlePlaceholder, title), "\n")
	if !found {
		return subject, ""
	}
	return strings.TrimRight(subject, " \t"), "\n\n" + strings.TrimLeft(rest, "\n")
}
