package view_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/view"
)

// A child's output, such as a remote's messages, is shown as text. The only escape sequences that reach the terminal are colors.
func TestEscapesInAChildsOutput(t *testing.T) {
	for _, c := range []struct{ said, plain, color string }{
		{"really? ", "really? ", "really? "},
		{"remote: \x1b]0;owned\x07hello\n", "remote: ]0;ownedhello\n", "remote: ]0;ownedhello\n"},
		{"remote: \x1b[2J\x1b[Hhello\n", "remote: [2J[Hhello\n", "remote: [2J[Hhello\n"},
		{"\x1b[31mred\x1b[0m? ", "red? ", "\x1b[31mred\x1b[0m? \x1b[0m"},
		{"10%\r20%\r\nyes \u202eon", "20%\nyes on", "20%\nyes on"},
		{"\xff?", "\ufffd?", "\ufffd?"},
	} {
		for want, color := range map[string]bool{c.plain: false, c.color: true} {
			if c.plain == c.color {
				color = false
			}
			var shown strings.Builder
			n, err := view.Child(&shown, color).Write([]byte(c.said))
			require.NoError(t, err)
			require.Equal(t, len(c.said), n)
			require.Equal(t, want, shown.String())
		}
	}
}
