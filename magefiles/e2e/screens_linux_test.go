package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/ptytest"
)

// sequence matches a terminal escape sequence.
var sequence = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

// The output of targets fits a narrow terminal, and no word is split at the edge. Only a single word, such as a URL, may be wider than the terminal.
func TestOutputFitsANarrowTerminal(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "imaged")
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/repos/imaged")))
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "add", "-A")
	git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-qm", "feat: first")
	environ := command.Setenv(command.Unset(os.Environ(), "CI"), "IMAGE_REGISTRY=127.0.0.1:1/me", "PREFIX_SERVER_URL=http://127.0.0.1:1", "GIT_CONFIG_GLOBAL="+os.DevNull)
	for line, shows := range map[string]string{
		"status":                          "release",
		"doctor":                          "git",
		"docker:plan tool-app -tag=a,b":   "tool-image",
		"version:show":                    "PACKAGE",
		"version:plan -to=minor":          "edits in",
		"ci:matrix -since=HEAD":           "no package",
		"graph":                           "tool",
		"channel:show":                    "Error: ",
		"ci:triggers":                     "→ ",
		"version:bump -to=1.0 -plan=none": "Error: ",
	} {
		x := exec.Command(filepath.Join(compiled, "targets"), strings.Fields(line)...)
		x.Dir, x.Env = dir, environ
		terminal := ptytest.StartAt(t, 40, x)
		said, _ := terminal.End()
		require.Contains(t, strings.Join(terminal.Screen(), "\n"), shows, line)
		for row := range strings.Lines(strings.ReplaceAll(said, "\r", "")) {
			row = strings.TrimRight(sequence.ReplaceAllString(row, ""), "\n ")
			if utf8.RuneCountInString(row) > 40 {
				require.Len(t, strings.Fields(strings.TrimLeft(row, "→✓○✗· ")), 1, "mage %s shows a row that is too wide: %q", line, row)
			}
		}
	}
}
