package e2e_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// At a terminal, help and the error for a wrong command line are wrapped between words.
func TestUsageAtATerminal(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{80, 40} {
		for line, code := range map[string]int{
			"version":                             2,
			"doctr":                               2,
			"version:show extra":                  2,
			"version:bump -to minor":              2,
			"version:bump -nothing":               2,
			"deploy:to staging -wait=5":           2,
			"help":                                0,
			"help deploy:to":                      0,
			"help version":                        0,
			"docker:merge myapp -digests a,b -ye": 2,
		} {
			terminal := ptytest.StartAt(t, columns, exec.Command(filepath.Join(compiled, "targets"), strings.Fields(line)...))
			said, got := terminal.End()
			require.Equal(t, code, got, said)
			screen := terminal.Screen()
			require.Equal(t, strings.Split(strings.ReplaceAll(said, "\r", ""), "\n"), screen, "%s: a row was broken by the terminal, in %d columns", line, columns)
			for _, row := range screen {
				require.LessOrEqual(t, utf8.RuneCountInString(row), columns, row)
			}
		}
	}
}
