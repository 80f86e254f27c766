package ignore

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Single lines of gitignore(5), as `git check-ignore` answers.
func TestIgnorePatterns(t *testing.T) {
	for _, c := range []struct {
		line    string
		ignored string // of the paths below
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
