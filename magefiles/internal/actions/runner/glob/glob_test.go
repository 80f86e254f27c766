package glob_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/actions/runner/glob"
)

// The patterns are from the README of actions/glob.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.txt", "b.md", "d/a.txt", "d/e/c.txt", ".h/x.txt", "d/[x].txt"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "link.txt")))
	for patterns, want := range map[string]string{
		"*.txt":            "a.txt",
		"**/*.txt":         "a.txt d/[x].txt d/a.txt d/e/c.txt",
		"**":               "a.txt b.md d/[x].txt d/a.txt d/e/c.txt",
		"d":                "d/[x].txt d/a.txt d/e/c.txt",
		"d/":               "d/[x].txt d/a.txt d/e/c.txt",
		"d\n!d/e":          "d/[x].txt d/a.txt",
		"?.md":             "b.md",
		"[ab].*":           "a.txt b.md",
		"[!a].*":           "b.md",
		"d/[[]x].txt":      "d/[x].txt",
		"# a comment\nb.*": "b.md",
		"!a.txt":           "",
		"none":             "",
		"d/*\nd/e/*":       "d/[x].txt d/a.txt d/e/c.txt",
	} {
		g, err := glob.Read(dir, "", strings.Split(patterns, "\n"))
		require.NoError(t, err, patterns)
		files, err := g.Files(false)
		require.NoError(t, err, patterns)
		for i, f := range files {
			files[i], err = filepath.Rel(dir, f)
			require.NoError(t, err)
		}
		require.Equal(t, want, strings.Join(files, " "), patterns)
	}
	for _, wrong := range []string{"[", "[]", "[z-a]"} {
		_, err := glob.Read(dir, "", []string{wrong})
		require.Error(t, err, wrong)
	}
}

// No pattern causes a panic.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"**/[!a]?*", "!!x", "[^]", "~/x", "a\\b"} {
		f.Add(s)
	}
	f.Fuzz(func(_ *testing.T, pattern string) {
		_, _ = glob.Read("/w", "/h", strings.Split(pattern, "\n"))
	})
}
