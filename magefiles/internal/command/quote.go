package command

import "strings"

// plain are the characters of a word that every shell takes as it is.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+:,./"

// Quote are words as a POSIX shell reads them back, with a blank between them: for scripts, and for commands that a person is told to type. A word that
// needs no quotes has none. What begins with a dash is quoted too, which does not keep a program from taking it for an option.
func Quote(words ...string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		if w == "" || strings.ContainsAny(w[:1], "=-") || strings.ContainsFunc(w, func(r rune) bool { return !strings.ContainsRune(plain+"=-", r) }) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}
