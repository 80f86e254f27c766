package operr_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// A shell reads each word as exactly the text that was given.
func TestHostileWords(t *testing.T) {
	for text, want := range map[string]string{
		"docs/CHANGELOG.md":      "docs/CHANGELOG.md",
		"release/v1.2.3":         "release/v1.2.3",
		"":                       "''",
		"a b":                    "'a b'",
		"d/$(touch PWN).md":      "'d/$(touch PWN).md'",
		"m;$(touch${IFS}PWN)":    "'m;$(touch${IFS}PWN)'",
		"it's":                   `'it'\''s'`,
		"`touch PWN`":            "'`touch PWN`'",
		"a\nb":                   "'a\nb'",
		"~":                      "'~'",
		"=ls":                    "'=ls'",
		"#no":                    "'#no'",
		"!!":                     "'!!'",
		"*":                      "'*'",
		"--upload-pack=x":        "./--upload-pack=x",
		"-rf $HOME":              "'./-rf $HOME'",
		"name with \\ in it":     `'name with \ in it'`,
		"https://u@host:1/a.git": "https://u@host:1/a.git",
	} {
		require.Equal(t, want, operr.Word(text))
		out, err := exec.Command("sh", "-c", "printf %s "+operr.Word(text)).Output()
		require.NoError(t, err)
		require.Equal(t, text, strings.TrimPrefix(string(out), map[bool]string{true: "./"}[strings.HasPrefix(text, "-")]))
	}
	require.Equal(t, "a 'b c' ./-d", operr.Words([]string{"a", "b c", "-d"}))
	require.Equal(t, "a 'b c' -d=e '-f;g'", operr.Line([]string{"a", "b c", "-d=e", "-f;g"}))
}
