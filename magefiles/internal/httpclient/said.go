package httpclient

import (
	"strconv"
	"strings"
	"unicode"
)

// mostSaid is how much of a server's words is repeated, in characters.
const mostSaid = 512

// Said makes a part of a sentence of what a server says: one line, of 512 characters at most, with what a terminal would obey
// written out. Of a page of HTML, alone or at the end of a sentence, it is the title.
func Said(text string) string {
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
