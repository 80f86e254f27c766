package httpclient

import (
	"strconv"
	"strings"
	"unicode"
)

// mostSaid limits the length of a server's message in our errors, in characters.
const mostSaid = 512

// Sanitize prepares a server's message for use in a sentence. The result is one line of at most 512 characters, with control characters escaped. An
// HTML page, alone or at the end of a sentence, is replaced with its title.
func Sanitize(text string) string {
	if IsPage(text) {
		text = title(text)
	} else if at := pageWithin.FindStringIndex(text); at != nil {
		text = text[:at[0]] + title(text[at[0]:])
	}
	var b strings.Builder
	n := 0
	for _, r := range strings.Join(strings.Fields(strings.ToValidUTF8(text, "�")), " ") {
		if n++; n > mostSaid {
			return b.String() + "…"
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
			continue
		}
		b.WriteRune(r)
	}
	return strings.TrimSuffix(b.String(), ".")
}
