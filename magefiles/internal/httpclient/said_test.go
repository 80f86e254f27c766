package httpclient_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/httpclient"
)

// A server's message becomes part of one line, with control characters escaped.
func TestHostileWords(t *testing.T) {
	for said, want := range map[string]string{
		"":                                  "",
		" \r\n\t":                           "",
		"Bad credentials.":                  "Bad credentials",
		"one\r\ntwo\n\n::error::three":      "one two ::error::three",
		"\x1b[2J\x1b]0;x\x07gone":           `\x1b[2J\x1b]0;x\agone`,
		"\u009b31mred":                      `\u009b31mred`,
		"\u202egnp.exe\u2066":               `\u202egnp.exe\u2066`,
		"a\u2028b\u2029c":                   `a b c`,
		"half of a rune \xe2\x82, and \x00": "half of a rune �, and " + `\x00`,
		"ünï ✓ 漢":                           "ünï ✓ 漢",
		strings.Repeat("é", 513):            strings.Repeat("é", 512) + "…",
		strings.Repeat("\x1b", 1<<20):       strings.Repeat(`\x1b`, 512) + "…",
	} {
		require.Equal(t, want, httpclient.Sanitize(said), "%.80q", said)
	}
}
