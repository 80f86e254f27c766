package columns

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestWrap(t *testing.T) {
	for name, c := range map[string]struct {
		text          string
		width, indent int
		want          string
	}{
		"fits":                    {"one two", 7, 2, "one two"},
		"two lines":               {"one two three", 7, 2, "one two\n  three"},
		"no room":                 {"one two", 2, 2, "one two"},
		"a word that is too wide": {"a https://conda.example/team b", 10, 2, "a\n  https://conda.example/team\n  b"},
		"its own indent":          {"    → run it again", 12, 6, "    → run it\n      again"},
		"wider than it begins":    {"    aaaaaaaaaaaa b", 8, 4, "    aaaaaaaaaaaa\n    b"},
		"gaps are kept":           {"a  b   c d", 9, 0, "a  b   c\nd"},
		"each line":               {"one two\nthree four", 6, 1, "one\n two\nthree\n four"},
		"characters, not bytes":   {"äöü äöü", 7, 0, "äöü äöü"},
		"spaces at the end":       {"one two   ", 7, 0, "one two"},
		"colors take none":        {"\x1b[32m✓\x1b[0m one two", 9, 2, "\x1b[32m✓\x1b[0m one two"},
		"nothing":                 {"", 7, 0, ""},
	} {
		require.Equal(t, c.want, Wrap(c.text, c.width, c.indent), name)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("one two  three", uint8(7), uint8(2))
	f.Add("  → a b c", uint8(4), uint8(0))
	f.Fuzz(func(t *testing.T, text string, width, indent uint8) {
		if !utf8.ValidString(text) {
			return
		}
		got := Wrap(text, int(width), int(indent))
		require.Equal(t, strings.Fields(text), strings.Fields(got), "no word is lost")
		if int(width) <= int(indent) {
			return
		}
		for line := range strings.SplitSeq(got, "\n") {
			require.True(t, utf8.RuneCountInString(line) <= int(width) || !strings.Contains(strings.Trim(line, " "), " "), "%q is wider than %d", line, width)
		}
	})
}

// A line is broken at a space if possible, and no character is lost.
func TestChop(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"":                            {""},
		"short":                       {"short"},
		"ten  chars":                  {"ten  chars"},
		"pins are one, two and three": {"pins are ", "one, two ", "and three"},
		"a https://example.org/x":     {"a https://", "example.or", "g/x"},
		"größer als zehn":             {"größer ", "als zehn"},
		"          indented":          {"          ", "indented"},
	} {
		rows := Chop(line, 10)
		require.Equal(t, want, rows)
		require.Equal(t, line, strings.Join(rows, ""))
	}
	require.Equal(t, []string{"as it is"}, Chop("as it is", 0))
}
