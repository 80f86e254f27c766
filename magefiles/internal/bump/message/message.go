// Package message fills in the templates in [tool.release] for commit and tag messages (message.go).
package message

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// Limits for a title that lists all packages.
const (
	titlePackages = 3
	titleSubject  = 100 // maximum subject length in characters; the default in commitlint
)

// OfCommit fills in the template of a commit message. `released` has the tag in lockstep, or otherwise each package with its version. If the title
// would be too long, it is the number of packages, and the packages are listed below the subject.
func OfCommit(template string, released []string) string {
	title := strings.Join(released, ", ")
	subject, rest := fill(template, title)
	if n := len(released); n > titlePackages || n > 1 && utf8.RuneCountInString(subject) > titleSubject {
		subject, rest = fill(template, fmt.Sprintf("%d packages", n))
		rest = "\n\n" + strings.Join(released, "\n") + rest
	}
	return subject + rest + "\n"
}

// OfTag fills in the template of a tag message. The title is the tag's name.
func OfTag(template, name string) string {
	subject, rest := fill(template, name)
	return subject + rest + "\n"
}

// fill fills in a template. It returns the first line, and the rest, which is empty or begins with an empty line.
func fill(template, title string) (subject, rest string) {
	text := strings.TrimSpace(strings.ReplaceAll(template, "\r\n", "\n"))
	subject, rest, found := strings.Cut(strings.ReplaceAll(text, settings.TitlePlaceholder, title), "\n")
	if !found {
		return subject, ""
	}
	return strings.TrimRight(subject, " \t"), "\n\n" + strings.TrimLeft(rest, "\n")
}
