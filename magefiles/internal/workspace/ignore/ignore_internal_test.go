package ignore

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Single-line patterns match as in `git check-ignore`.
func TestIgnorePatterns(t *testing.T) {
	for _, c := range []struct {
		line    string
		ignored string // ignored paths
	}{
		{"a", "a b/a a/b/c"},
		{"/a", "a a/b/c"},
		{"a/", "a b/a a/b/c"},
		{"b/a", "b/a"},
		{"*/b", "a/b/c"},
		{"**/b", "a/b/c b/a"},
		{"a/**", "a/b/c"},
		{"a/**/c", "a/b/c"},
		{"[!b]", "a b/a a/b/c c"},
		{"[b-c]", "b/a c a/b/c"},
		{"?", "a b/a a/b/c c"},
		{`\a`, "a b/a a/b/c"},
		{"# a", ""},
		{"a  ", "a b/a a/b/c"},
		{"", ""},
		{"!a", ""},
		{"[", ""},
		{"x*z", "xyz"},
		{"xyz\r", "xyz"},
	} {
		g := &Folder{dir: "."}
		g.rules[1] = parse(c.line + "\n")
		var got []string
		for _, p := range []string{"a", "b/a", "a/b/c", "c", "xyz"} {
			for at := p; at != "."; at = filepath.Dir(at) {
				if g.Ignores(at, true) {
					got = append(got, p)
					break
				}
			}
		}
		require.ElementsMatch(t, strings.Fields(c.ignored), got, "%q", c.line)
	}
}

// An ignore file that is a link to a pipe is treated as empty.
func TestAnIgnoreFileIsAFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules"), []byte("linked\n"), 0o644))
	require.NoError(t, os.Symlink("rules", filepath.Join(dir, ".gitignore")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o644))
	require.NoError(t, os.Symlink("pipe", filepath.Join(dir, ".ignore")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	g := (&Folder{dir: "."}).In(".", dir, entries)
	require.True(t, g.Ignores("linked", false))
	require.False(t, g.Ignores("rules", false))
}
