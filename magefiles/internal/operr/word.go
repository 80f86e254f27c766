package operr

import (
	"regexp"
	"strings"
	"sync"
)

// plainWord matches words that need no quoting in any shell.
var plainWord = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_./:@%+,][A-Za-z0-9_./:@%+,=-]*$`) })

// Word quotes a text, if necessary, as one word of a command that users may copy into a shell. A leading dash gets "./" in front, because only file
// names begin with a dash. This prevents names of files and branches from injecting commands or options.
func Word(text string) string {
	if strings.HasPrefix(text, "-") {
		text = "./" + text
	}
	return Quote(text)
}

// Quote quotes a text for a POSIX shell, if necessary.
func Quote(text string) string {
	if plainWord().MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Words applies Word to each text, and joins the results with spaces.
func Words(texts []string) string {
	var all []string
	for _, text := range texts {
		all = append(all, Word(text))
	}
	return strings.Join(all, " ")
}

// Line quotes the words of a command, which may include options, for a shell.
func Line(words []string) string {
	var all []string
	for _, w := range words {
		if !plainWord().MatchString(strings.TrimLeft(w, "-")) {
			w = Quote(w)
		}
		all = append(all, w)
	}
	return strings.Join(all, " ")
}
