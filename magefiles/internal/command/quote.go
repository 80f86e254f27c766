package command

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

// plainWord is what every shell takes as it is.
var plainWord = lazyregexp.New(`^[A-Za-z0-9_@%+:,./][A-Za-z0-9_@%+=:,./-]*$`)

// Quote are words as a POSIX shell reads them back, with a blank between them: for scripts, and for commands that a person is told to type. A word that
// needs no quotes has none. What begins with a dash is quoted too, which does not keep a program from taking it for an option.
func Quote(words ...string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		if !plainWord().MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}
