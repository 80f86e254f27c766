package github_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/github"
)

// Notes that are too long are truncated after a complete section or entry, and a link to the full text is added.
func TestLongNotesAreTruncated(t *testing.T) {
	repeat := func(line string, n int) string { return strings.Repeat(line, n) }
	rows := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("| `file-%04d.conda` | `%s` |\n", i, strings.Repeat("a", 64)))
		}
		return all
	}
	const more = "… All of it is in [CHANGELOG.md](https://x/blob/v1/CHANGELOG.md)."
	for _, c := range []struct {
		name, text string
		rows       int
		last       string // the end of the truncated text, or "" if it is not truncated
	}{
		{"short", "### a\n\n- x", 2, ""},
		{"nothing", "", 1, ""},
		{"at the limit", repeat("x", github.MaxNotes-1), 0, ""},
		{"sections", repeat("### a\n\n"+repeat("- x\n", 5000), 10), 2, "- x"},
		{"one section", "### a\n\n" + repeat("- an entry that has\n  two lines\n", 10000), 2, "  two lines"},
		{"a list", repeat("* an entry\n", 20000), 2, "* an entry"},
		{"paragraphs", repeat("some words\nin lines\n\n", 10000), 2, "in lines"},
		{"one line", repeat("x", 200000), 2, "x"},
		{"characters and not bytes", repeat("ä", github.MaxNotes-1), 0, ""},
		{"too many of them", repeat("- äöü\n", 30000), 2, "- äöü"},
		{"code", "```\n" + repeat("x\n", 100000), 2, "```"},
		{"a table of a thousand files", "- x", 1000, ""},
		{"both", repeat("- x\n", 100000), 3000, "- x"},
	} {
		got := github.Notes(c.text, rows(c.rows), "https://x/blob/v1/CHANGELOG.md")
		require.LessOrEqual(t, utf8.RuneCountInString(got), github.MaxNotes, c.name)
		require.Greater(t, utf8.RuneCountInString(got), min(github.MaxNotes/3, utf8.RuneCountInString(c.text)), c.name)
		text, _, cut := strings.Cut(got, "\n\n"+more)
		require.Equal(t, c.last != "", cut, c.name)
		if cut {
			require.True(t, strings.HasSuffix(text, "\n"+c.last) || strings.HasSuffix(text, c.last), c.name)
		} else {
			require.True(t, strings.HasPrefix(got, c.text), c.name)
		}
		if c.rows > 0 {
			require.Contains(t, got, "| file | sha256 |\n|---|---|\n| `file-0000.conda` |", c.name)
		}
	}
	require.Contains(t, github.Notes("- x", rows(1000), ""), "\n… and ")
}
