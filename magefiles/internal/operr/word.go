package operr

import (
	"regexp"
	"strings"
	"sync"
)

// plainWord is what every shell takes as it stands.
var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_./:@%+,][A-Za-z0-9_./:@%+,=-]*$`) })

// Word is a text as one word of a command that a person is shown, and may copy into a shell: in quotes, unless it is plain. A name that begins with a dash, which
// only a file has, begins with its folder there. Whoever names a file or a branch does not decide what a person runs.
func Word(text string) string {
	if strings.HasPrefix(text, "-") {
		text = "./" + text
	}
	return Quoted(text)
}

// Quoted is a text as a POSIX shell reads it back as one word. A word that needs no quotes has none.
func Quoted(text string) string {
	if plainWord().MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Words are texts as words of such a command.
func Words(texts []string) string {
	var all []string
	for _, text := range texts {
		all = append(all, Word(text))
	}
	return strings.Join(all, " ")
}

// Line are words of a command that somebody else wrote, options and all, as a shell reads them back.
func Line(words []string) string {
	var all []string
	for _, w := range words {
		if !plainWord().MatchString(strings.TrimLeft(w, "-")) {
			w = Quoted(w)
		}
		all = append(all, w)
	}
	return strings.Join(all, " ")
}
