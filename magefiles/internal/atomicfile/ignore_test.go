package atomicfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
)

// MakeIgnored creates a folder and its parents. Git ignores everything in it except the named files. An existing .gitignore is kept.
func TestMakeIgnored(t *testing.T) {
	for name, c := range map[string]struct {
		there string // the existing .gitignore; "-" for none
		but   []string
		want  string
	}{
		"a new folder":           {there: "-", want: "*\n"},
		"but for names":          {there: "-", but: []string{"config.toml", "a b"}, want: "*\n!config.toml\n!a b\n"},
		"of a run that was shot": {there: "", but: []string{"x"}, want: "*\n!x\n"},
		"somebody's own":         {there: "*.conda\n", want: "*.conda\n"},
		"somebody's, of one end": {there: "\n", want: "\n"},
	} {
		dir := filepath.Join(t.TempDir(), "above", "dir")
		file := filepath.Join(dir, ".gitignore")
		if c.there != "-" {
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(file, []byte(c.there), 0o644))
		}
		for range 2 { // the second call changes nothing
			require.NoError(t, atomicfile.MakeIgnored(dir, c.but...), name)
			require.Equal(t, c.want, read(t, file), name)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	require.Error(t, atomicfile.MakeIgnored(file), "a file is in its place")
	require.Error(t, atomicfile.MakeIgnored(filepath.Join(file, "dir")), "a file is above it")
}

// TestHostileGitignore checks that MakeIgnored does not write to a .gitignore that is a symlink or has another hard link.
func TestHostileGitignore(t *testing.T) {
	for name, make := range map[string]func(other, file string) error{
		"link":         os.Symlink,
		"link to none": func(other, file string) error { return os.Symlink(other+".none", file) },
		"hard link":    os.Link,
	} {
		dir, other := t.TempDir(), filepath.Join(t.TempDir(), "other")
		require.NoError(t, os.WriteFile(other, nil, 0o644), name) // an empty file could be left over from a killed run
		require.NoError(t, make(other, filepath.Join(dir, ".gitignore")), name)
		require.NoError(t, atomicfile.MakeIgnored(dir), name)
		data, err := os.ReadFile(other)
		require.NoError(t, err)
		require.Empty(t, data, name)
		require.NoFileExists(t, other+".none")
	}
}
