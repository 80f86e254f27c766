package command_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// A shell reads back what was quoted, whatever it is.
func TestQuote(t *testing.T) {
	words := []string{"a/b.toml", "", "it's", "a b", "$HOME", "`id`", "*", "-rf", "a=b", "~", "#x", "line\nend", `\`, `"`, "é", "{a,b}", "!x", ";", "a&b", "'"}
	out, err := exec.Command("sh", "-c", "printf '%s\\0' "+command.Quote(words...)).Output()
	require.NoError(t, err)
	require.Equal(t, words, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"))
	require.Equal(t, "packages/core/pixi.toml go.mod", command.Quote("packages/core/pixi.toml", "go.mod"))
	require.Equal(t, `'my file' 'it'\''s'`, command.Quote("my file", "it's"))
}
