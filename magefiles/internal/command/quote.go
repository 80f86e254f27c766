package command

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Quote are words as a POSIX shell reads them back, with a blank between them: for scripts. What begins with a dash is quoted too, which does not keep a
// program from taking it for an option: operr.Word is for commands that a person is shown.
func Quote(words ...string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, operr.Quoted(w))
	}
	return strings.Join(quoted, " ")
}
